import { jest } from '@jest/globals';
import { once } from 'node:events';
import { appendFile, chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { GuestSession, HistoryPage, RoomAndMember, SentMessage } from '../../src/protocol/index.js';
import { Rest } from '../server/rest.js';
import { Checkout, signalGroup, urlOf } from './checkout.js';
import { asOrdinaryUser, eventually, itWithNamespaces, onLinux, processesAt } from './processes.js';

// Each of these starts the whole server, some of them several times.
jest.setTimeout(120_000);

let built: Checkout;
let checkout: Checkout;

beforeAll(async () => {
  built = await Checkout.built();
}, 180_000);

afterAll(() => built.remove());

beforeEach(async () => {
  checkout = await built.copy();
});

afterEach(() => checkout.remove());

async function enter(url: string): Promise<{ rest: Rest; roomId: string }> {
  const { token } = await new Rest(url).ok('POST', '/v1/guests', GuestSession, { name: 'Ada' });
  const rest = new Rest(url, token);
  const { room } = await rest.ok('POST', '/v1/rooms', RoomAndMember, { name: 'Yesterday' });
  return { rest, roomId: room.id };
}

async function say(rest: Rest, roomId: string, text: string): Promise<void> {
  await rest.ok('POST', `/v1/rooms/${roomId}/messages`, SentMessage, { clientMsgId: text.replaceAll(' ', '-'), text });
}

async function said(rest: Rest, roomId: string): Promise<string[]> {
  const { messages } = await rest.ok('GET', `/v1/rooms/${roomId}/messages?limit=100`, HistoryPage);
  return messages.map(({ text }) => text);
}

onLinux('npm start', () => {
  it('serves, ends wholly at a Ctrl-C, and finds what was said when it is started again', async () => {
    const first = checkout.terminal('npm start');
    const before = await enter(await urlOf(first));
    await say(before.rest, before.roomId, 'hello');
    first.ctrlC();
    await first.exited;
    expect(await processesAt(checkout.dir)).toEqual([]);
    await expect(stat(join(checkout.dir, 'data/postgres/cluster/postmaster.pid'))).rejects.toThrow('ENOENT');
    expect(await readFile(join(checkout.dir, 'data/postgres/postgres.log'), 'utf8')).toContain(
      'database system is shut down',
    );

    const began = Date.now();
    const second = checkout.start();
    const rest = new Rest(await urlOf(second), before.rest.credential);
    const took = Date.now() - began;
    console.log(`The second start took ${took} ms.`);
    expect(took).toBeLessThan(30_000);
    expect(await said(rest, before.roomId)).toEqual(['hello']);
    signalGroup(second.pid, 'SIGINT');
    expect(await second.exited).toEqual({ code: 0, signal: null });
    expect(await processesAt(checkout.dir)).toEqual([]);
  });

  it('has everything that it acknowledged when it is killed in the middle of sends and started again', async () => {
    const first = checkout.start();
    const before = await enter(await urlOf(first));
    const acknowledged: string[] = [];
    const sending = (async () => {
      for (let n = 1; ; n += 1) {
        await say(before.rest, before.roomId, `message ${n}`);
        acknowledged.push(`message ${n}`);
      }
    })();
    await Promise.all([
      expect(sending).rejects.toThrow(),
      eventually(() => acknowledged.length >= 20, '20 messages are acknowledged').then(() =>
        first.child.kill('SIGKILL'),
      ),
    ]);

    const second = checkout.start();
    const rest = new Rest(await urlOf(second), before.rest.credential);
    expect((await said(rest, before.roomId)).slice(0, acknowledged.length)).toEqual(acknowledged.slice(0, 100));
  });

  it('serves again after Postgres was killed under it', async () => {
    const { rest, roomId } = await enter(await urlOf(checkout.start()));
    await say(rest, roomId, 'before');
    const killed = await checkout.postmaster();
    process.kill(killed, 'SIGKILL');
    const answers = () => said(rest, roomId).then(Boolean, () => false);
    await eventually(async () => (await checkout.postmaster().catch(() => killed)) !== killed, 'another Postgres runs');
    await eventually(answers, 'it serves again');
    await say(rest, roomId, 'after');
    expect(await said(rest, roomId)).toEqual(['before', 'after']);
  });
});

onLinux('what keeps it from starting is one sentence', () => {
  it('a port in use', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const start = checkout.start({ env: { PORT: String(port) } });
    expect(await start.exited).toEqual({ code: 1, signal: null });
    expect(lastLine(start.output())).toMatch(new RegExp(`^Port ${port} is in use: `));
    expect(await processesAt(checkout.dir)).toEqual([]);
    server.close();
  });

  itWithNamespaces('a data directory that may not be written', async () => {
    await mkdir(join(checkout.dir, 'data'));
    await chmod(join(checkout.dir, 'data'), 0o500);
    const start = checkout.start({ as: asOrdinaryUser });
    expect(await start.exited).toEqual({ code: 1, signal: null });
    expect(start.output()).toMatch(/^Parley may not write to [^\n]+\n$/);
  });

  it('another Parley on the same data, which goes on', async () => {
    const first = checkout.start();
    const { rest, roomId } = await enter(await urlOf(first));
    const second = checkout.start();
    expect(await second.exited).toEqual({ code: 1, signal: null });
    expect(second.output()).toMatch(
      new RegExp(`^Parley already runs on this data directory \\(pid ${first.pid}\\)[^\\n]+\\n$`),
    );
    await say(rest, roomId, 'still here');
  });

  it('a Node that is too old', async () => {
    const old = "Object.defineProperty(process.versions, 'node', { value: '18.20.1' })";
    const start = checkout.start({ node: ['--import', `data:text/javascript,${encodeURIComponent(old)}`] });
    expect(await start.exited).toEqual({ code: 1, signal: null });
    expect(start.output()).toBe(
      'Parley needs Node 20.19, 22.12 or newer, and this is 18.20.1: install a current one from https://nodejs.org.\n',
    );
  });
});

onLinux('what it does before it serves', () => {
  it('builds only what changed, and builds it once when two start together', async () => {
    await appendFile(join(checkout.dir, 'web/index.html'), '<!-- changed -->\n');
    const starts = ['one', 'two'].map((data) => checkout.start({ env: { DATA_DIR: `data-${data}` } }));
    await Promise.all(starts.map(urlOf));
    const outputs = starts.map((start) => start.output());
    expect(outputs.filter((output) => /^Building the chat page … done in [\d.]+ s$/m.test(output))).toHaveLength(1);
    expect(outputs.join('')).not.toContain('Building the server');
  });

  it('installs packages when they are missing, and keeps npm quiet', async () => {
    await checkout.remove();
    checkout = await built.copy({ packages: false });
    const npm = await fakeNpm(`symlinkSync(${JSON.stringify(join(process.cwd(), 'node_modules'))}, 'node_modules')`);
    const start = checkout.start({ env: { npm_execpath: npm } });
    await urlOf(start);
    expect(start.output()).toMatch(/^Installing packages … done in [\d.]+ s\n/);
    expect(start.output()).not.toContain('npm noise');
  });

  it('shows what npm said when it fails to install', async () => {
    await checkout.remove();
    checkout = await built.copy({ packages: false });
    const start = checkout.start({ env: { npm_execpath: await fakeNpm('process.exitCode = 1') } });
    expect(await start.exited).toEqual({ code: 1, signal: null });
    expect(start.output()).toMatch(
      /^Installing packages … failed after [\d.]+ s\n\nnpm noise: ci .*\n\nInstalling packages failed\. [^\n]+\n$/,
    );
  });
});

async function fakeNpm(work: string): Promise<string> {
  const file = join(checkout.dir, 'fake-npm.mjs');
  const say = "console.log('npm noise:', ...process.argv.slice(2));";
  await writeFile(file, `import { symlinkSync } from 'node:fs';\n${say}\n${work};\n`);
  return file;
}

/** What stands last; no stack of an error comes before it. */
function lastLine(output: string): string {
  expect(output).not.toMatch(/^ +at /m);
  return output.trimEnd().split('\n').at(-1) ?? '';
}
