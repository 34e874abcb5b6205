import { TcpProxy } from '../../verify/proxy/tcp-proxy.js';
import { Random } from '../../verify/random.js';
import { ChatWindow } from './chat-window.js';
import { openStage, type Stage } from './stage.js';

let stage: Stage;
let line: TcpProxy;

beforeAll(async () => {
  stage = await openStage();
  const target = { host: '127.0.0.1', port: Number(new URL(stage.instance.url).port) };
  line = await TcpProxy.start({ target, random: new Random('line') });
  stage.add(() => line.stop());
});

afterEach(() => line.heal());

afterAll(() => stage.close());

function cut(): void {
  line.refuse(true);
  line.reset();
}

/** Ann's window stands behind the line that is cut; Bo's talks to the server directly. */
async function talk(room: string): Promise<{ ann: ChatWindow; bo: ChatWindow }> {
  const ann = await ChatWindow.open(stage.browser, `http://127.0.0.1:${line.port}`);
  await ann.enter('Ann');
  await ann.createRoom(room);
  const bo = await ChatWindow.open(stage.browser, stage.instance.url);
  await bo.enter('Bo');
  await bo.join(room);
  await bo.say('hello');
  await ann.said('hello').waitFor();
  return { ann, bo };
}

describe('a lost connection', () => {
  it('is told; messages wait and are delivered once, in their order, when it is back', async () => {
    const { ann, bo } = await talk('Bridge');
    const bar = ann.page.getByRole('status').filter({ hasText: 'You are offline.' });
    cut();
    await bar.waitFor();
    await ann.say('first');
    await ann.say('second');
    await bar.filter({ hasText: '2 messages wait here' }).waitFor();
    await ann.timeline.getByText('Waiting for the connection').nth(1).waitFor();
    await bo.say('meanwhile');
    await bo.said('meanwhile').waitFor();
    expect(await bo.texts()).toEqual(['hello', 'meanwhile']);

    line.heal();
    await bo.said('second').waitFor();
    await ann.said('second').waitFor();
    await bar.waitFor({ state: 'detached' });
    await bo.say('welcome back');
    await ann.said('welcome back').waitFor();
    const all = ['hello', 'meanwhile', 'first', 'second', 'welcome back'];
    expect(await ann.texts()).toEqual(all);
    expect(await bo.texts()).toEqual(all);
    expect(await ann.timeline.getByText('Waiting for the connection').count()).toBe(0);
    expect([...ann.faults, ...bo.faults]).toEqual([]);
    await ann.close();
    await bo.close();
  });

  it('that swallows the acknowledgement doubles nothing', async () => {
    const { ann, bo } = await talk('Tunnel');
    line.set({ down: { kind: 'blackhole' } });
    await ann.say('did you get this?');
    await bo.said('did you get this?').waitFor();
    await ann.timeline.getByText('Sending…').waitFor();
    line.heal();
    line.reset();

    await ann.said('did you get this?').waitFor();
    await bo.say('once');
    await ann.said('once').waitFor();
    const all = ['hello', 'did you get this?', 'once'];
    expect(await ann.texts()).toEqual(all);
    expect(await bo.texts()).toEqual(all);
    expect([...ann.faults, ...bo.faults]).toEqual([]);
    await ann.close();
    await bo.close();
  });
});
