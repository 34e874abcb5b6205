/** What `npm start` and `npm test` do first: install and build, each only when it is not done or out of date. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { oneAtATime } from './one-at-a-time.mjs';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** Printed as its one sentence, without a stack. */
export class Refusal extends Error {
  name = 'StartError';
}

const BUILDS = [
  {
    what: 'the server',
    script: 'build:server',
    output: 'dist',
    sources: ['src', 'nest-cli.json', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json'],
  },
  {
    what: 'the chat page',
    script: 'build:web',
    output: 'web/dist',
    sources: ['web', 'sdk', 'src/protocol', 'tsconfig.json', 'package-lock.json'],
  },
];

/** Several processes may do this at once in one checkout: the first does the work, the others wait and find it done. */
export async function prepare() {
  checkNode();
  await oneAtATime(`prepare ${root}`, async () => {
    if (!isInstalled()) {
      // Dependencies that only the build and the tests use are needed here, whatever NODE_ENV says.
      const args = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
      await step('Installing packages', args, (output) =>
        output.includes('EUSAGE')
          ? 'package.json and package-lock.json do not agree: run "npm install", which brings the lock file up to date.'
          : 'Is the npm registry reachable? See above for what npm said.',
      );
    }
    for (const { what, script, output, sources } of BUILDS) {
      const stamp = join(root, output, '.built-from');
      const hash = hashOf(sources, output);
      if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) continue;
      await step(`Building ${what}`, ['run', '--silent', script], () => 'See above for what is wrong in the sources.');
      writeFileSync(stamp, hash);
    }
  });
}

/** Runs npm, and shows what it says only when it fails. */
async function step(title, args, hint) {
  const started = Date.now();
  process.stdout.write(`${title} … `);
  const { code, output } = await npm(args);
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  if (code === 0) return void process.stdout.write(`done in ${seconds} s\n`);
  process.stdout.write(`failed after ${seconds} s\n\n${output}\n`);
  throw new Refusal(`${title} failed. ${hint(output)}`);
}

/** @returns {Promise<{ code: number, output: string }>} */
export function npm(args) {
  const [command, first] = process.env.npm_execpath ? [process.execPath, [process.env.npm_execpath]] : ['npm', []];
  const shell = process.platform === 'win32' && command === 'npm';
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...first, ...args], { cwd: root, shell, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if ((major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22) return;
  throw new Refusal(
    `Parley needs Node 20.19, 22.12 or newer, and this is ${process.versions.node}: install a current one from https://nodejs.org.`,
  );
}

/** npm notes in node_modules what it installed, at the very end of doing so. */
function isInstalled() {
  const note = join(root, 'node_modules/.package-lock.json');
  if (!existsSync(note)) return false;
  const { packages: installed } = JSON.parse(readFileSync(note, 'utf8'));
  const { packages: wanted } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  return Object.entries(wanted).every(
    ([path, { version, optional, link }]) =>
      path === '' || link || (path in installed ? installed[path].version === version : optional === true),
  );
}

function hashOf(sources, output) {
  const hash = createHash('sha256').update(process.versions.node);
  const add = (path) => {
    const full = join(root, path);
    if (path === output || path.includes('node_modules/') || !existsSync(full)) return;
    if (statSync(full).isDirectory())
      return void readdirSync(full)
        .sort()
        .forEach((name) => add(`${path}/${name}`));
    hash.update(`${path}\0`).update(readFileSync(full)).update('\0');
  };
  sources.forEach(add);
  return hash.digest('hex');
}
