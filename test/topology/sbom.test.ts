import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

it('lists what is installed by the command of the documents, without what only builds and tests (S-57)', () => {
  const text = readFileSync('docs/operations.md', 'utf8');
  const [, command = ''] = /<!-- sbom -->\s*```sh\n(.*)\n```/.exec(text) ?? [];
  const [program = '', ...args] = command.split(' ');
  const listed = JSON.parse(execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })) as {
    bomFormat: string;
    components: { name: string }[];
  };
  expect(listed.bomFormat).toBe('CycloneDX');
  const names = listed.components.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['socket.io', 'pg', 'redis', '@node-rs/argon2']));
  expect(names).not.toContain('jest');
});
