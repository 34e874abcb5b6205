import { ChatWindow } from './chat-window.js';
import { openStage, type Stage } from './stage.js';

let stage: Stage;
let windows: ChatWindow[] = [];

beforeAll(async () => {
  stage = await openStage();
});

afterEach(async () => {
  const faults = windows.flatMap((window) => window.faults);
  await Promise.all(windows.map((window) => window.close()));
  windows = [];
  expect(faults).toEqual([]);
});

afterAll(() => stage.close());

async function open(name: string, options?: Parameters<typeof ChatWindow.open>[2]): Promise<ChatWindow> {
  const window = await ChatWindow.open(stage.browser, stage.instance.url, options);
  windows.push(window);
  return window.enter(name);
}

describe('the chat page', () => {
  it('lets two people in two windows talk to each other', async () => {
    const ann = await open('Ann');
    const bo = await open('Bo');
    await ann.createRoom('Kitchen', 'What is for dinner');
    await bo.join('Kitchen');

    await ann.say('Soup?');
    await bo.said('Soup?').waitFor();
    await bo.say('With bread.\nAnd salt.');
    await ann.said('With bread. And salt.').waitFor();

    expect(await ann.texts()).toEqual(['Soup?', 'With bread.\nAnd salt.']);
    expect(await bo.texts()).toEqual(['Soup?', 'With bread.\nAnd salt.']);
    await bo.timeline.getByText('Ann', { exact: true }).waitFor();
    await bo.page.getByRole('log').getByText('Ann: Soup?').waitFor({ state: 'attached' });
  });

  it('shows who joins and who leaves, in the timeline and in the list of members', async () => {
    const ann = await open('Ann');
    await ann.createRoom('Hallway');
    await ann.page.getByRole('button', { name: '1 member' }).click();
    const members = ann.page.getByRole('complementary').getByRole('listitem');
    await members.filter({ hasText: 'Ann you' }).filter({ hasText: 'owner' }).waitFor();

    const bo = await open('Bo');
    await bo.join('Hallway');
    await ann.timeline.getByText('Bo joined').waitFor();
    await members.filter({ hasText: 'Bo' }).waitFor();
    await ann.page.getByRole('button', { name: '2 members' }).waitFor();

    await bo.page.getByRole('button', { name: '2 members' }).click();
    await bo.page.getByRole('button', { name: 'Leave room' }).click();
    await bo.page.getByRole('dialog').getByRole('button', { name: 'Leave room' }).click();
    await ann.timeline.getByText('Bo left').waitFor();
    await members.filter({ hasText: 'Bo' }).waitFor({ state: 'detached' });
    await bo.page.getByRole('button', { name: 'Join Hallway' }).waitFor();
    expect(await bo.page.getByRole('link', { name: 'Hallway' }).count()).toBe(0);
  });

  it('opens the room that the address names, and is still the same person after a reload', async () => {
    const ann = await open('Ann');
    await ann.createRoom('Attic');
    await ann.say('Mind the third step');
    await ann.said('Mind the third step').waitFor();
    await ann.page.reload();
    await ann.said('Mind the third step').waitFor();

    const bo = await open('Bo');
    await bo.page.goto(ann.page.url());
    await bo.page.getByRole('button', { name: 'Join the room' }).click();
    await bo.said('Mind the third step').waitFor();
  });

  it('counts what is unread in the rooms that are not open, and forgets it when they are opened', async () => {
    const ann = await open('Ann');
    const bo = await open('Bo');
    await ann.createRoom('Cellar');
    await bo.join('Cellar');
    await bo.createRoom('Balcony');
    await ann.say('one');
    await ann.say('two');
    await bo.page.getByRole('link', { name: /Cellar.*2 unread/ }).waitFor();
    await bo.openRoom('Cellar');
    await bo.page.getByRole('link', { name: 'Cellar' }).filter({ hasNotText: 'unread' }).waitFor();
    await bo.timeline.getByText('New', { exact: true }).waitFor();
  });

  it('keeps what is read over a reload, and tells who is typing and who is there', async () => {
    const ann = await open('Ann');
    const bo = await open('Bo');
    await ann.createRoom('Larder');
    await bo.join('Larder');
    await ann.say('one');
    await bo.said('one').waitFor();
    await bo.createRoom('Terrace');
    await ann.say('two');
    await bo.page.getByRole('link', { name: /Larder.*1 unread/ }).waitFor();
    await bo.page.reload();
    await bo.page.getByRole('link', { name: /Larder.*1 unread/ }).waitFor();
    await bo.openRoom('Larder');
    await bo.page.getByRole('link', { name: 'Larder' }).filter({ hasNotText: 'unread' }).waitFor();

    const typing = ann.page.getByRole('status', { name: 'Typing' });
    await bo.composer.pressSequentially('three');
    await typing.filter({ hasText: 'Bo is typing…' }).waitFor();
    await bo.composer.press('Enter');
    await ann.said('three').waitFor();
    await typing.filter({ hasNotText: 'typing' }).waitFor();
    await ann.page.getByRole('button', { name: '2 members' }).click();
    const members = ann.page.getByRole('complementary').getByRole('listitem');
    await members.filter({ hasText: 'Bo' }).filter({ hasText: 'online' }).waitFor();
    await bo.page.goto('about:blank');
    await members.filter({ hasText: 'Bo' }).filter({ hasText: 'offline' }).waitFor();
  });

  it('asks for a name again when the session has run out', async () => {
    const ann = await open('Ann');
    await ann.page.evaluate(`{
      const session = JSON.parse(localStorage.getItem('parley.session'));
      localStorage.setItem('parley.session', JSON.stringify({ ...session, token: 'no token at all' }));
    }`);
    await ann.page.reload();
    await ann.page.getByText('Your session has ended').waitFor();
    expect(await ann.page.getByLabel('Your name').inputValue()).toBe('Ann');
    await ann.enter('Ann');
  });

  it('makes an account, keeps it over a reload, logs out and in again, and says what was wrong', async () => {
    const window = await ChatWindow.open(stage.browser, stage.instance.url);
    windows.push(window);
    const { page } = window;
    const button = (name: string) => page.getByRole('button', { name, exact: true });
    const fill = async (fields: Record<string, string>) => {
      for (const [label, text] of Object.entries(fields)) await page.getByLabel(label).fill(text);
    };
    await button('Create an account').click();
    await fill({ Handle: 'Una', 'Your name': 'Una Ray', Password: 'password1' });
    await button('Create account').click();
    await page.getByRole('alert').filter({ hasText: 'too common' }).waitFor();
    await fill({ Password: 'a lamp in the attic' });
    await button('Create account').click();
    await window.createRoom('Study');
    await page.reload();
    await window.openRoom('Study');

    await button('Log out').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Log out' }).click();
    expect(await page.getByLabel('Handle').inputValue()).toBe('una');
    await fill({ Password: 'a lamp in the cellar' });
    await page.getByLabel('Password').press('Enter');
    await page.getByRole('alert').filter({ hasText: 'The handle or the password is wrong' }).waitFor();
    await fill({ Password: 'a lamp in the attic' });
    await page.getByLabel('Password').press('Enter');
    await window.openRoom('Study');
    const kept = await page.evaluate<string>('JSON.stringify(localStorage)');
    expect(kept).not.toContain('a lamp in the attic');
    // The browser itself reports every refused request.
    expect(window.faults.splice(0).filter((fault) => !/status of 40[01]/.test(fault))).toEqual([]);
  });

  it('tells in words why a name is not taken', async () => {
    const window = await ChatWindow.open(stage.browser, stage.instance.url);
    windows.push(window);
    await window.page.getByLabel('Your name').fill('zero\u200bwidth');
    await window.page.getByRole('button', { name: 'Come in' }).click();
    await window.page.getByRole('alert').filter({ hasText: 'The server did not accept that.' }).waitFor();
    // The browser itself reports every refused request.
    window.faults.splice(0);
  });

  it('shows the counter near the longest text and sends no longer one', async () => {
    const ann = await open('Ann');
    await ann.createRoom('Library');
    const send = ann.page.getByRole('button', { name: 'Send' });
    await ann.composer.fill('x'.repeat(3_799));
    expect(await ann.page.getByText(/characters? left/).count()).toBe(0);
    await ann.composer.fill('x'.repeat(4_001));
    await ann.page.getByText('1 character too many').waitFor();
    expect(await send.isDisabled()).toBe(true);
    await ann.composer.fill('x'.repeat(3_999));
    await ann.page.getByText('1 character left').waitFor();
    await send.click();
    await ann.said('x'.repeat(3_999)).waitFor();
  });

  it('keeps a refused message in view until it is tried again or discarded', async () => {
    const ann = await open('Ann');
    await ann.createRoom('Porch');
    await ann.say('no\0thing');
    await ann.say('something');
    await ann.said('something').waitFor();
    const refused = ann.timeline.getByRole('alert').filter({ hasText: 'Not sent. The server did not accept that.' });
    await refused.getByRole('button', { name: 'Try again' }).click();
    await refused.getByRole('button', { name: 'Discard' }).click();
    await refused.waitFor({ state: 'detached' });
    expect(await ann.texts()).toEqual(['something']);
  });

  it('shows markup in names, rooms and texts as text (S-37)', async () => {
    const markup = '<img src=x onerror=alert(1)>';
    const ann = await open(markup);
    const bo = await open('Bo');
    await ann.createRoom(markup, markup);
    await bo.join(markup);
    await ann.say(markup);
    await ann.say('<script>alert(2)</script><a href="javascript:alert(3)">link</a>');
    await ann.say('the end');
    for (const window of [ann, bo]) {
      await window.said('the end').waitFor();
      await window.said(markup).waitFor();
      await window.title(markup).waitFor();
      await window.page.getByRole('button', { name: '2 members' }).click();
      await window.page.getByRole('complementary').getByText(markup).waitFor();
      expect(await window.page.locator('img, #root script, a[href^="javascript"]').count()).toBe(0);
    }
    await bo.timeline.getByText(markup, { exact: true }).first().waitFor();
  });

  it('fits a phone: two screens, and nothing to scroll sideways', async () => {
    const phone = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };
    const ann = await open('Ann', phone);
    const sideways = 'document.documentElement.scrollWidth > innerWidth || document.body.scrollWidth > innerWidth';
    const rooms = ann.page.getByRole('navigation', { name: 'Rooms' });
    expect(await ann.page.evaluate(sideways)).toBe(false);

    await ann.createRoom('A room with quite a long name that does not fit on the screen of a small phone');
    await ann.say('unbreakable'.repeat(40));
    await ann.said('unbreakable'.repeat(40)).waitFor();
    expect(await rooms.isVisible()).toBe(false);
    expect(await ann.page.evaluate(sideways)).toBe(false);
    const cutOff = `[...document.querySelectorAll('.bubble')].some((bubble) => bubble.scrollWidth > bubble.clientWidth)`;
    expect(await ann.page.evaluate(cutOff)).toBe(false);

    await ann.page.getByRole('button', { name: '1 member' }).click();
    await ann.page.getByRole('complementary').getByText('owner').waitFor();
    expect(await ann.page.evaluate(sideways)).toBe(false);
    await ann.page.getByRole('button', { name: 'Close the list of members' }).click();

    await ann.page.getByRole('button', { name: 'Back to the rooms' }).click();
    await rooms.waitFor();
    expect(await ann.timeline.count()).toBe(0);
    expect(await ann.page.evaluate(sideways)).toBe(false);
  });
});
