import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const real = ['ubuntu-irc', 'kdconv-zh']
  .map((name) => `../shared/data/${name}.ndjson.gz`)
  .filter((path) => existsSync(path));

/** Runs the command as a user would, past the part of it that installs and builds. @throws when it ends with another code than 0 */
async function replay(...args: string[]): Promise<string> {
  const program = ['--import', './test/environment/typescript.mjs', 'verify/replay/main.ts'];
  return (await run(process.execPath, [...program, ...args])).stdout;
}

const clean =
  /Postgres +0 +0 +0 +0 +0\nREST of instance 1 +0 +0 +0 +0 +0\nREST of instance 2 +0 +0 +0 +0 +0\nlistener-1, live +0 +0 +0 +0 +0\nlistener-2, live +0 +0 +0 +0 +0/;

describe('replaying a conversation over two instances', () => {
  it('finds every message again, everywhere, in the order of the file', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'parley-test-replay-'));
    const file = join(dir, 'talk.ndjson');
    const line = (i: number) => ({
      room: `room ${i % 3}`,
      at: '2026-01-01T00:00:00Z',
      user: `user ${i % 7}`,
      text: `${i}: cafe\u0301 \u{1f642} 你好`,
    });
    await writeFile(file, Array.from({ length: 150 }, (_, i) => JSON.stringify(line(i))).join('\n'));
    const told = await replay(file, '--sockets', '4');
    expect(told).toMatch(/^150 messages sent over 2 instances/m);
    expect(told).toMatch(clean);
    await rm(dir, { recursive: true });
  }, 90_000);

  for (const file of real) {
    it(`finds real talk again: ${file}`, async () => {
      const told = await replay(file, '--limit', '300');
      expect(told).toMatch(/^300 messages sent/m);
      expect(told).toMatch(clean);
    }, 90_000);
  }

  it('says which line of a file is not of its shape', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'parley-test-replay-'));
    const file = join(dir, 'talk.ndjson');
    await writeFile(file, '{"room":"a","user":"b","text":"c"}\n{"room":"a","user":"b"}\n');
    await expect(replay(file)).rejects.toMatchObject({ stderr: expect.stringMatching(/Line 2 of/) as string });
    await rm(dir, { recursive: true });
  });
});
