import { enterAsGuest, Parley } from '../../sdk/index.js';
import { TcpProxy } from '../../verify/proxy/tcp-proxy.js';
import { Random } from '../../verify/random.js';
import { ChatWindow } from './chat-window.js';
import { openStage, type Stage } from './stage.js';

const many = 180;

let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
});

afterAll(() => stage.close());

/** A room in which somebody said `line 1` to `line 180` before anybody looks. */
async function writtenRoom(name: string): Promise<void> {
  const { url } = stage.instance;
  const { token } = await enterAsGuest(url, 'Scribe');
  const scribe = new Parley({ url, token });
  stage.add(() => scribe.close());
  const { room } = await scribe.createRoom({ name });
  await Promise.all(Array.from({ length: many }, (_, index) => scribe.send(room.id, `line ${index + 1}`).sent));
}

describe('scrolling back', () => {
  it('loads all of the history, in order, each message once', async () => {
    await writtenRoom('Attic');
    const ann = await ChatWindow.open(stage.browser, stage.instance.url);
    await ann.enter('Ann');
    await ann.join('Attic');
    await ann.said(`line ${many}`).waitFor();
    expect(await ann.said('line 1').count()).toBe(0);

    await ann.timeline.hover();
    const begin = ann.page.getByText('This is where the room begins.');
    while (!(await begin.isVisible())) {
      const shown = await ann.stored.count();
      await ann.page.mouse.wheel(0, -100_000);
      await begin.or(ann.stored.nth(shown)).first().waitFor();
    }
    expect(await ann.texts()).toEqual(Array.from({ length: many }, (_, index) => `line ${index + 1}`));
    expect(ann.faults).toEqual([]);
    await ann.close();
  });

  it('keeps the place of who has just scrolled, before the page hears of it', async () => {
    await writtenRoom('Shelf');
    const ann = await ChatWindow.open(stage.browser, stage.instance.url);
    await ann.enter('Ann');
    await ann.join('Shelf');
    await ann.said(`line ${many}`).waitFor();
    // In the page, within one turn: what is drawn for the click comes before the event of the scrolling.
    const moved = await ann.page.evaluate<number>(`(async () => {
      const view = document.querySelector('.timeline');
      const bubble = view.querySelector('.bubble');
      view.scrollTop = 900;
      const before = bubble.getBoundingClientRect().top;
      view.querySelector('.timeline-top button').click();
      await Promise.resolve();
      return Math.abs(bubble.getBoundingClientRect().top - before);
    })()`);
    expect(moved).toBeLessThanOrEqual(1);
    await ann.close();
  });

  it('keeps what is read in its place while older messages come in above it and new ones below', async () => {
    await writtenRoom('Library');
    const target = { host: '127.0.0.1', port: Number(new URL(stage.instance.url).port) };
    const line = await TcpProxy.start({ target, random: new Random('line') });
    stage.add(() => line.stop());
    const ann = await ChatWindow.open(stage.browser, `http://127.0.0.1:${line.port}`);
    const bo = await ChatWindow.open(stage.browser, stage.instance.url);
    await bo.enter('Bo');
    await bo.join('Library');
    await ann.enter('Ann');
    await ann.join('Library');
    await ann.said(`line ${many}`).waitFor();

    // The page of history that the scrolling asks for is held on the line until the place has been looked at.
    line.set({ down: { kind: 'stall' } });
    const loaded = await ann.stored.count();
    const bubble = ann.stored.nth(3).locator('.bubble');
    const text = await bubble.innerText();
    const place = async () => (await ann.said(text).locator('.bubble').boundingBox())?.y ?? NaN;
    await bubble.scrollIntoViewIfNeeded();
    await ann.page.getByRole('button', { name: 'Loading earlier messages…' }).waitFor();
    const before = await place();
    line.heal();
    await ann.stored.nth(loaded).waitFor();
    expect(Math.abs((await place()) - before)).toBeLessThanOrEqual(1);

    await bo.say('news');
    const toNewest = ann.page.getByRole('button', { name: '1 new message' });
    await toNewest.waitFor();
    expect(Math.abs((await place()) - before)).toBeLessThanOrEqual(1);

    await toNewest.click();
    await toNewest.waitFor({ state: 'detached' });
    const news = await ann.said('news').boundingBox();
    const view = await ann.timeline.boundingBox();
    expect((news?.y ?? NaN) + (news?.height ?? NaN)).toBeLessThanOrEqual((view?.y ?? NaN) + (view?.height ?? NaN));
    expect([...ann.faults, ...bo.faults]).toEqual([]);
    await ann.close();
    await bo.close();
  });
});
