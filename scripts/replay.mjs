import { spawn } from 'node:child_process';
import { prepare, root } from './prepare.mjs';

/** Runs the replay on what is built from the sources as they are now. */
try {
  await prepare();
} catch (error) {
  console.error(error?.name === 'StartError' ? error.message : error);
  process.exit(1);
}
const args = ['--import', './test/environment/typescript.mjs', 'verify/replay/main.ts', ...process.argv.slice(2)];
const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code) => process.exit(code ?? 1));
