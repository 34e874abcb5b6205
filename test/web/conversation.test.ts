import type { Locator } from 'playwright-core';
import { ChatWindow } from './chat-window.js';
import { openStage, type Stage } from './stage.js';

let stage: Stage;
let people: [ann: ChatWindow, bo: ChatWindow, cy: ChatWindow];

beforeAll(async () => {
  stage = await openStage();
  const enter = async (name: string) => (await ChatWindow.open(stage.browser, stage.instance.url)).enter(name);
  people = [await enter('Ann'), await enter('Bo'), await enter('Cy')];
});

/** What one test left open is gone for the next one. */
beforeEach(() => Promise.all(people.map((window) => window.page.goto(`${stage.instance.url}/`))));
afterEach(() => expect(people.flatMap((window) => window.faults.splice(0))).toEqual([]));
afterAll(async () => {
  await Promise.all(people.map((window) => window.close()));
  await stage.close();
});

/** Two people in a room of that name, which the first one made. */
async function pair(room: string): Promise<[ChatWindow, ChatWindow]> {
  const [ann, bo] = people;
  await ann.createRoom(room);
  await bo.join(room);
  return [ann, bo];
}

describe('with a message', () => {
  it('one reacts, and takes it back; others see both', async () => {
    const [ann, bo] = await pair('Pantry');
    await ann.say('Cake?');
    await bo.react('Cake?', '👍');
    const reaction = (window: ChatWindow) => window.said('Cake?').getByRole('button', { name: /^👍 1, / });
    await reaction(ann).click();
    await bo
      .said('Cake?')
      .getByRole('button', { name: /^👍 2, / })
      .click();
    await ann.said('Cake?').getByRole('button', { name: '👍 1, you', pressed: true }).waitFor();
  });

  it('one answers it, and begins a thread that others find', async () => {
    const [ann, bo] = await pair('Shed');
    await ann.say('Who has the key?');
    await (await bo.tools('Who has the key?')).getByRole('button', { name: 'Reply' }).click();
    await bo.page.getByText('Answering Ann: Who has the key?').waitFor();
    await bo.say('Me');
    await ann.said('Me').getByRole('button', { name: 'Ann: Who has the key?' }).waitFor();

    await bo.choose('Who has the key?', 'Thread');
    const field = (window: ChatWindow) => window.page.getByRole('textbox', { name: 'Reply in the thread' });
    await field(bo).fill('It hangs behind the door');
    await field(bo).press('Enter');
    await ann.said('Who has the key?').getByRole('button', { name: '1 reply' }).click();
    const thread = ann.page.getByRole('list', { name: 'Messages of the thread' });
    await thread.getByText('It hangs behind the door').waitFor();
    await field(ann).fill('Thanks');
    await field(ann).press('Enter');
    await bo.page.getByRole('list', { name: 'Messages of the thread' }).getByText('Thanks').waitFor();
    await bo.said('Who has the key?').getByRole('button', { name: '2 replies' }).waitFor();
  });

  it('its author edits it, a moderator sees what it said before, and deletes it', async () => {
    const [ann, bo] = await pair('Porch');
    await bo.say('Meet at nien');
    await bo.choose('Meet at nien', 'Edit');
    const field = bo.page.getByRole('textbox', { name: 'Edit the message' });
    await field.fill('Meet at nine');
    await field.press('Enter');
    const edited = ann.stored.filter({ hasText: 'Meet at nine (edited)' });
    await edited.waitFor();
    await ann.choose('Meet at nine', 'Earlier versions');
    await ann.page.getByRole('dialog').getByText('Meet at nien').waitFor();
    await ann.page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
    await ann.choose('Meet at nine', 'Delete');
    await ann.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await bo.timeline.getByText('Message deleted').waitFor();
  });

  it('a moderator pins it, and everyone finds it among the pins', async () => {
    const [ann, bo] = await pair('Gate');
    await ann.say('The code is 4711');
    await ann.choose('The code is 4711', 'Pin');
    await bo.page.getByRole('button', { name: 'Pinned messages', exact: true }).click();
    await bo.page
      .getByRole('complementary')
      .getByRole('button', { name: /The code is 4711/ })
      .click();
    await ann.choose('The code is 4711', 'Unpin');
    await bo.page.getByRole('complementary').getByText('Nothing is pinned.').waitFor();
  });

  it('one mentions somebody, who sees that he was called, and leaves a message unread', async () => {
    const [ann, bo] = await pair('Yard');
    await bo.say('Here');
    await ann.said('Here').waitFor();
    await bo.createRoom('Field');
    await ann.composer.pressSequentially('Hello @bo');
    await ann.page.getByRole('option', { name: '@Bo' }).waitFor();
    // On a slow device frames come late; what is typed meanwhile stays in its place.
    await ann.page.evaluate('window.requestAnimationFrame = (callback) => setTimeout(callback, 100)');
    await ann.composer.press('Enter');
    await ann.composer.pressSequentially('are you there?', { delay: 20 });
    expect(await ann.composer.inputValue()).toBe('Hello @Bo are you there?');
    await ann.composer.press('Enter');
    await bo.page.getByRole('link', { name: /Yard.*1 unread, 1 mention of you/ }).waitFor();
    await bo.openRoom('Yard');
    await bo.timeline.locator('mark', { hasText: '@Bo' }).waitFor();
    await bo.page.getByRole('link', { name: 'Yard' }).filter({ hasNotText: 'unread' }).waitFor();
    await ann.page.getByText('Seen by Bo').waitFor();
    await bo.choose('Hello @Bo are you there?', 'Mark as unread');
    await bo.page.getByRole('link', { name: /Yard.*1 unread/ }).waitFor();
  });
});

describe('a room is governed', () => {
  const inList = (window: ChatWindow, name: string): Locator =>
    window.page.getByRole('complementary').getByRole('listitem').filter({ hasText: name });
  const act = async (window: ChatWindow, name: string, what: string) => {
    await window.page.getByRole('button', { name: `What to do with ${name}` }).click();
    await window.page.getByRole('button', { name: what, exact: true }).click();
  };

  it('by roles, mutes, removal and bans', async () => {
    const [ann, bo] = await pair('Council');
    await ann.page.getByRole('button', { name: '2 members' }).click();
    await act(ann, 'Bo', 'Make moderator');
    await inList(ann, 'Bo').getByText('moderator').waitFor();
    await bo.page.getByRole('button', { name: 'Settings of the room' }).waitFor();
    await act(ann, 'Bo', 'Make reader');
    await bo.page.getByText('You may read here, but not write.').waitFor();
    await act(ann, 'Bo', 'Make member');
    await bo.composer.waitFor();
    await act(ann, 'Bo', 'Mute for 10 minutes');
    await bo.page.getByText(/^You are muted until /).waitFor();
    await act(ann, 'Bo', 'Let speak again');
    await bo.say('Sorry');
    await ann.said('Sorry').waitFor();
    await act(ann, 'Bo', 'Remove');
    await ann.page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await bo.page.getByRole('button', { name: 'Join the room' }).click();
    await inList(ann, 'Bo').waitFor();
    await act(ann, 'Bo', 'Ban');
    await ann.page.getByRole('dialog').getByLabel('Reason').fill('Shouting');
    await ann.page.getByRole('dialog').getByLabel('Delete all that they said here').check();
    await ann.page.getByRole('dialog').getByRole('button', { name: 'Ban' }).click();
    await ann.timeline.getByText('Message deleted').waitFor();
    await bo.page.getByRole('button', { name: 'Join the room' }).click();
    await bo.page.getByText('You are banned from this room.').waitFor();
    await ann.page.getByRole('button', { name: 'Settings of the room' }).click();
    await ann.page.getByRole('tab', { name: 'Banned' }).click();
    await ann.page.getByRole('dialog').getByText('Shouting').waitFor();
    await ann.page.getByRole('dialog').getByRole('button', { name: 'Lift' }).click();
    await ann.page.getByRole('dialog').getByText('Nobody is banned.').waitFor();
    await bo.page.getByRole('button', { name: 'Join the room' }).click();
    await bo.title('Council').waitFor();
  });

  it('by its settings', async () => {
    const [ann, bo] = await pair('News');
    await ann.page.getByRole('button', { name: 'Settings of the room' }).click();
    const dialog = ann.page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('Good news');
    await dialog.getByLabel('Topic').fill('Nothing else');
    await dialog.getByLabel('Slow mode').selectOption('One message every 5 seconds');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await bo.page.getByText('Slow mode: one message every 5 seconds.', { exact: true }).waitFor();
    await bo.say('One');
    await ann.said('One').waitFor();
    await bo.page.getByText(/You can write again in \d+ seconds?/).waitFor();
    await bo.say('Two');
    await bo.page.getByText('Slow mode: one message every 5 seconds.', { exact: true }).waitFor();
    expect(await bo.composer.inputValue()).toBe('Two');
    await bo.composer.press('Enter');
    await ann.said('Two').waitFor();

    await ann.page.getByRole('button', { name: 'Settings of the room' }).click();
    await dialog.getByLabel('Announcements').check();
    await dialog.getByRole('button', { name: 'Save' }).click();
    await bo.title('Good news').waitFor();
    await bo.page.getByText('This room is for announcements').waitFor();
    await ann.page.getByRole('button', { name: 'Settings of the room' }).click();
    await ann.page.getByRole('button', { name: 'Archive room' }).click();
    await bo.page.getByText('This room is archived').waitFor();
  });

  it('by reports that members make, and by filters', async () => {
    const [ann, bo] = await pair('Market');
    await bo.say('Hello');
    await ann.say('Buy gold at shady.example now');
    await ann.say('A perfectly good rumour');
    // A message that comes now would move the other one from under the mouse.
    await bo.said('A perfectly good rumour').waitFor();
    await bo.choose('Buy gold', 'Report');
    await bo.page.getByRole('dialog').getByLabel('In your words').fill('Again');
    await bo.page.getByRole('dialog').getByRole('button', { name: 'Report' }).click();
    await bo.page.getByRole('dialog').waitFor({ state: 'detached' });
    await ann.page.getByRole('button', { name: 'Settings of the room' }).click();
    const dialog = ann.page.getByRole('dialog');
    await dialog.getByRole('tab', { name: 'Reports' }).click();
    await dialog.getByText('Bo (Spam: Again)').waitFor();
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await dialog.getByText('Nothing is reported.').waitFor();
    await bo.timeline.getByText('Message deleted').waitFor();
    await dialog.getByRole('tab', { name: 'Filters' }).click();
    await dialog.getByLabel('Word').fill('rumour');
    await dialog.getByRole('button', { name: 'Add' }).click();
    await dialog.getByText('rumour masked').waitFor();
    await bo.say('Another rumour');
    await bo.said('Another ******').waitFor();
    await dialog.getByLabel('Word').fill('bargain');
    await dialog.getByLabel('What becomes of it').selectOption('hold');
    await dialog.getByRole('button', { name: 'Add' }).click();
    await dialog.getByText('bargain held').waitFor();
    await bo.say('A bargain, this');
    await bo.timeline.getByText('A moderator has to approve this first').waitFor();
    await dialog.getByRole('tab', { name: 'Held' }).click();
    await dialog.getByRole('button', { name: 'Approve' }).click();
    await bo.said('A bargain, this').waitFor();
  });

  it('by invites and requests, where it is private', async () => {
    const [ann, bo, cy] = people;
    await ann.page.getByRole('button', { name: 'New room' }).click();
    await ann.page.getByRole('dialog').getByLabel('Name').fill('Cabin');
    await ann.page.getByRole('dialog').getByLabel('Private').check();
    await ann.page.getByRole('dialog').getByRole('button', { name: 'Create room' }).click();
    await ann.title('Cabin').waitFor();
    await ann.page.getByRole('button', { name: 'Settings of the room' }).click();
    const dialog = ann.page.getByRole('dialog');
    await dialog.getByLabel('Others may ask to join').check();
    await dialog.getByRole('button', { name: 'Save' }).click();
    await ann.page.getByRole('button', { name: 'Settings of the room' }).click();
    await dialog.getByRole('tab', { name: 'Invites' }).click();
    await dialog.getByRole('button', { name: 'Make a link' }).click();
    const link = await dialog.getByLabel('Whoever has this link comes in').inputValue();
    await bo.page.goto(link);
    await bo.title('Cabin').waitFor();

    await cy.page.goto(`${stage.instance.url}/${new URL(ann.page.url()).hash}`);
    await cy.page.getByRole('button', { name: 'Ask to be let in' }).click();
    await cy.page.getByText('have your request').waitFor();
    await dialog.getByRole('tab', { name: 'Requests' }).click();
    await dialog.getByRole('button', { name: 'Let in' }).click();
    await cy.title('Cabin').waitFor();
  });

  it('and two talk alone', async () => {
    const [ann, bo] = await pair('Square');
    await ann.page.getByRole('button', { name: '2 members' }).click();
    await act(ann, 'Bo', 'Write to alone');
    await ann.title('Bo').waitFor();
    await ann.say('Between us');
    await bo.page.getByRole('link', { name: /^Ann .*1 unread/ }).click();
    await bo.said('Between us').waitFor();
  });
});
