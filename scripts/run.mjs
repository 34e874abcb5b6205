/** `node scripts/run.mjs FILE.ts …`: runs a program of this project on what is built from the sources as they are now, with the Redis that it needs, or all that tests do. */
import { spawn } from 'node:child_process';
import { prepare, root } from './prepare.mjs';
import { installPrograms } from './programs.mjs';

try {
  await prepare();
} catch (error) {
  console.error(error?.name === 'StartError' ? error.message : error);
  process.exit(1);
}
const missing = await installPrograms(process.argv[2].startsWith('test/') ? undefined : ['redis-server']);
if (missing.length > 0) {
  console.error(missing.join('\n'));
  process.exit(1);
}
const args = ['--import', './test/environment/typescript.mjs', ...process.argv.slice(2)];
const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code) => process.exit(code ?? 1));
