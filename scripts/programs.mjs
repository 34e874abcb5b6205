/** The programs beside Node that the tests run: found on PATH, or installed from the system's packages where this user may. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { oneAtATime } from './one-at-a-time.mjs';

const CHROMIUM = ['chromium', 'chromium-browser', 'google-chrome'];
const PROGRAMS = [
  {
    package: 'redis-server',
    commands: ['redis-server', 'valkey-server'],
    setting: 'TEST_REDIS_URL',
    use: 'the bus between instances',
  },
  {
    package: 'chromium',
    commands: CHROMIUM,
    setting: 'CHROMIUM_PATH',
    use: 'the chat page',
  },
  { package: 'haproxy', commands: ['haproxy'], use: 'the load balancer' },
];

/** @returns {Promise<string[]>} a sentence for each program that is missing still; of all of them, or of these packages */
export async function installPrograms(packages) {
  const missing = () => allMissing().filter(({ package: name }) => packages?.includes(name) ?? true);
  if (missing().length > 0 && mayInstall()) await oneAtATime('apt-get', () => install(missing()));
  const chromium = found(CHROMIUM);
  if (chromium) process.env.CHROMIUM_PATH ??= chromium;
  return missing().map(
    ({ package: name, setting, use }) =>
      `${name} is missing, which tests of ${use} run: install it (on Debian: sudo apt-get install ${name})${setting ? `, or set ${setting}` : ''}.`,
  );
}

function allMissing() {
  return PROGRAMS.filter(({ commands, setting }) => !(setting && process.env[setting]) && !found(commands));
}

function found(commands) {
  const dirs = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin'];
  return commands.flatMap((command) => dirs.map((dir) => join(dir, command))).find((path) => existsSync(path));
}

function mayInstall() {
  return spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status === 0 && (isRoot() || hasSudo());
}

async function install(programs) {
  if (programs.length === 0) return;
  const names = programs.map((program) => program.package);
  process.stdout.write(`Installing ${names.join(', ')} … `);
  const updated = await aptGet(['update']);
  const installed = await aptGet(['install', '-y', '--no-install-recommends', ...names]);
  process.stdout.write(installed.code === 0 ? 'done\n' : `failed\n\n${updated.output}${installed.output}\n`);
}

function aptGet(args) {
  const command = ['apt-get', '-q', '-o', 'DPkg::Lock::Timeout=300', ...args];
  const [program, ...rest] = isRoot() ? command : ['sudo', '-n', 'DEBIAN_FRONTEND=noninteractive', ...command];
  return new Promise((resolve) => {
    const child = spawn(program, rest, {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    child.once('error', (error) => resolve({ code: 1, output: String(error) }));
    child.once('close', (code) => resolve({ code, output }));
  });
}

function isRoot() {
  return process.geteuid?.() === 0;
}

function hasSudo() {
  return spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0;
}
