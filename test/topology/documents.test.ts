import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { PlainClient } from '../client.js';
import { createDatabase } from '../environment/database.js';
import { startInstance, type Instance } from '../instance.js';
import { run } from '../start/processes.js';
import { settings } from './settings.js';

const OPERATIONS = 'docs/operations.md';

/** The code block, or the table, that follows `<!-- name -->` in a document. */
function marked(document: string, name: string): string {
  const text = readFileSync(document, 'utf8');
  const after = text.split(`<!-- ${name} -->`)[1];
  if (after === undefined) throw new Error(`${document} has no <!-- ${name} -->`);
  return /^\s*```\w*\n([\s\S]*?)```/.exec(after)?.[1] ?? /^\s*((?:\|.*\n)+)/.exec(after)?.[1] ?? '';
}

const documents = (): string[] => {
  const found = (dir: string): string[] =>
    readdirSync(dir, { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? found(join(dir, entry.name)) : entry.name.endsWith('.md') ? [join(dir, entry.name)] : [],
    );
  return [...readdirSync('.').filter((name) => name.endsWith('.md')), ...found('docs'), ...found('sdk')];
};

/** As GitHub makes it from a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{Letter}\p{Number}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-');

describe('the documents', () => {
  it('link to files and headings that exist', () => {
    const broken: string[] = [];
    for (const document of documents()) {
      const text = readFileSync(document, 'utf8').replaceAll(/```[\s\S]*?```/g, '');
      for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^https?:/.test(target)) continue;
        const [path = '', anchor] = target.split('#');
        const file = path === '' ? document : resolve(dirname(document), path);
        const headings = () =>
          [...readFileSync(file, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, text = '']) => anchorOf(text));
        if (!existsSync(file) || (anchor !== undefined && file.endsWith('.md') && !headings().includes(anchor)))
          broken.push(`${document}: ${target}`);
      }
    }
    expect(documents().length).toBeGreaterThan(8);
    expect(broken).toEqual([]);
  });

  it('name files that exist, in the way of a message and everywhere else', () => {
    const missing: string[] = [];
    for (const document of documents()) {
      const text = readFileSync(document, 'utf8');
      for (const [, path = ''] of text.matchAll(/`((?:src|sdk|web|test|deploy|docs|scripts|verify)\/[\w./-]+\.\w+)`/g))
        if (!existsSync(path)) missing.push(`${document}: ${path}`);
    }
    expect(missing).toEqual([]);
  });

  it('list every setting with its default', () => {
    const text = readFileSync(OPERATIONS, 'utf8');
    const rows = new Map(
      [...text.matchAll(/^\| `([A-Z_]+)` +\| *(?:`([^`]*)`)? *\| .+ \|$/gm)].map(([, name = '', value]) => [
        name,
        value,
      ]),
    );
    expect(rows).toEqual(settings);
  });

  it('quote the sentences of a start that fails as they are', async () => {
    const quoted = [...marked(OPERATIONS, 'sentences').matchAll(/^\| (.*?) \|/gm)].slice(2);
    const files = ['src', 'scripts'].flatMap((dir) =>
      readdirSync(dir, { recursive: true, encoding: 'utf8' }).map((name) => join(dir, name)),
    );
    const sources = await Promise.all(
      files.filter((name) => /\.m?[tj]s$/.test(name)).map((name) => readFile(name, 'utf8')),
    );
    const parts = quoted.flatMap(([, cell = '']) => [...cell.matchAll(/`([^`]+)`/g)].map(([, part = '']) => part));
    expect(parts.length).toBeGreaterThan(10);
    expect(parts.filter((part) => !sources.some((source) => source.includes(part)))).toEqual([]);
  });

  it('allow Redis what docker-compose.yml allows it', () => {
    const lines = marked(OPERATIONS, 'acl').trim().split('\n');
    const compose = readFileSync('docker-compose.yml', 'utf8').replace('>$$REDIS_PASSWORD', '>PASSWORD');
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(compose).toContain(line);
  });
});

describe('what the documents tell to do', () => {
  let database: Awaited<ReturnType<typeof createDatabase>>;
  let instance: Instance | undefined;
  let dir: string;
  const running = (): Instance => {
    if (instance === undefined) throw new Error('No instance runs');
    return instance;
  };

  beforeAll(async () => {
    database = await createDatabase();
    instance = await startInstance(database.url);
    dir = await mkdtemp(join(tmpdir(), 'parley-examples-'));
    await symlink(resolve('node_modules'), join(dir, 'node_modules'));
    await symlink(resolve('sdk'), join(dir, 'sdk'));
    await symlink(resolve('src'), join(dir, 'src'));
  }, 120_000);
  afterAll(async () => {
    await instance?.stop();
    await database.drop();
    await rm(dir, { recursive: true });
  });

  /** Runs an example of the README against the instance, and gives what it printed. */
  async function example(name: string, file: string): Promise<string> {
    const code = marked('README.md', `example: ${name}`);
    expect(code).toContain('http://localhost:3000');
    await writeFile(join(dir, file), code.replaceAll('http://localhost:3000', running().url));
    const typescript = pathToFileURL('test/environment/typescript.mjs').href;
    const process_ = run(process.execPath, ['--no-warnings', '--import', typescript, file], { cwd: dir });
    const { code: exit } = await process_.exited;
    if (exit !== 0) throw new Error(process_.output());
    return process_.output();
  }

  it('talks through the SDK', async () => {
    expect(await example('sdk', 'chat.ts')).toBe('Ann: Coffee is ready\nBen: On my way\n');
  });

  it('talks through socket.io-client alone', async () => {
    const output = await example('plain', 'plain.mjs');
    expect(output).toContain('changes 3 to 3: message\n');
    expect(output).toContain('true true\n');
  });

  it('makes clients start anew after a restored backup', async () => {
    const connect = () => PlainClient.connect(running().url, 'restored');
    const before = await connect();
    const { room } = await before.ask('room:create', { name: 'Restored' });
    const { epoch } = before.session;
    const cursors = { [room.id]: 1 };
    expect((await before.ask('rooms:sync', { epoch, cursors })).rooms).toMatchObject([{ reset: false, after: 1 }]);
    before.close();
    await running().stop();
    instance = undefined;

    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    const { rowCount } = await client.query(marked(OPERATIONS, 'epoch'));
    expect(rowCount).toBe(1);
    await client.end();

    instance = await startInstance(database.url);
    const after = await connect();
    expect(after.session.epoch).not.toBe(epoch);
    expect((await after.ask('rooms:sync', { epoch, cursors })).rooms).toMatchObject([{ reset: true, roomId: room.id }]);
    after.close();
  });
});
