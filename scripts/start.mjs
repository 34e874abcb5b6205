import { prepare } from './prepare.mjs';

try {
  await prepare();
  // In this process, so that a Ctrl-C or a SIGTERM reaches the server itself.
  await import('../dist/main.js');
} catch (error) {
  console.error(error?.name === 'StartError' ? error.message : error);
  process.exit(1);
}
