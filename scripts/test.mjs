/**
 * `npm test` runs every check; `npm test -- test/sdk` runs Jest alone, on those paths; `npm test -- --faults` runs every check and
 * the quick set of the fault matrix, and a look at the speed. The last line is `N passed, N failed`.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { npm, prepare, root } from './prepare.mjs';
import { installPrograms } from './programs.mjs';

const CHECKS = [
  { name: 'types', args: ['run', '--silent', 'types'] },
  { name: 'lint', args: ['run', '--silent', 'lint:rules'] },
  { name: 'format', args: ['run', '--silent', 'lint:format'] },
  { name: 'import rules', args: ['run', '--silent', 'imports'] },
];
/** How long Jest may take to end after its results stand, and whatever else was told to end; then something was left open. */
const END_MS = 20_000;
const LIMIT_MS = 20 * 60_000;
/** After so long since the start no further row of the fault matrix begins, but so long they may begin in any case: one does. */
const FAULTS_UNTIL_MS = 15 * 60_000;
const FAULTS_AT_LEAST_MS = 10_000;
/** After so long since the start the speed is not looked at any more. */
const BENCH_UNTIL_MS = 17.5 * 60_000;
/** What the look at the speed may take, and then again `END_MS` to end; it needs a minute. */
const BENCH_MS = 3 * 60_000;

const faults = process.argv.includes('--faults');
const jestArgs = process.argv.slice(2).filter((arg) => arg !== '--faults');
const started = Date.now();
/** @type {{ name: string, passed: number, failed: number, note?: string }[]} */
const results = [];
let stopped;

// A Ctrl-C reaches the children too, and they clean up; a signal to this process alone is passed on.
let child;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    stopped = signal;
    if (child) child.kill(signal);
    else process.exit(128 + constants.signals[signal]);
  });
}

try {
  await prepare();
  const sentences = await installPrograms();
  for (const sentence of sentences) results.push({ name: 'programs', passed: 0, failed: 1, note: sentence });
  if (jestArgs.length === 0) results.push(...(await Promise.all(CHECKS.map(run))));
  results.push(await runJest());
  if (faults && !stopped) results.push(await runFaults());
  if (faults && !stopped) results.push(await runBench());
} catch (error) {
  results.push({
    name: 'preparation',
    passed: 0,
    failed: 1,
    note: error?.name === 'StartError' ? error.message : error?.stack,
  });
}
process.exit(summary());

async function run({ name, args }) {
  const began = Date.now();
  const { code, output } = await npm(args);
  const note = `${seconds(began)} s`;
  if (code === 0) return { name, passed: 1, failed: 0, note };
  process.stdout.write(`\n${name}:\n${output}\n`);
  return { name, passed: 0, failed: 1, note };
}

/** Some of the matrix needs minutes; what it says meanwhile shows that it is alive. */
async function runFaults() {
  const began = Date.now();
  const within = (Math.max(FAULTS_AT_LEAST_MS, started + FAULTS_UNTIL_MS - began) / 60_000).toFixed(2);
  const { code, output } = await runProgram('verify/main.ts', '--within', within);
  const [, passed, failed] = /(\d+) passed, (\d+) failed(?:, \d+ did not run)?\s*$/.exec(output) ?? [];
  const result = {
    name: 'faults',
    passed: Number(passed ?? 0),
    failed: Number(failed ?? 0),
    note: `${seconds(began)} s`,
  };
  if (code !== 0 && result.failed === 0) fail(result, `the checker ended with ${code}`);
  return result;
}

/** One check more: what it measures is told, and only what was lost or did not run fails. */
async function runBench() {
  const began = Date.now();
  if (began - started > BENCH_UNTIL_MS)
    return { name: 'speed', passed: 0, failed: 0, note: 'not looked at: the rest took too long' };
  const late = ['SIGTERM', 'SIGKILL'].map((signal, i) => setTimeout(() => child?.kill(signal), BENCH_MS + i * END_MS));
  const { code } = await runProgram('bench/guard.ts');
  late.forEach(clearTimeout);
  const result = { name: 'speed', passed: 0, failed: 0, note: `${seconds(began)} s` };
  if (code === 0) result.passed = 1;
  else fail(result, `it ended with ${code ?? 'a signal'}`);
  return result;
}

/** A program of ours, its output shown while it runs. */
async function runProgram(...args) {
  child = spawn(process.execPath, ['--no-warnings', '--import', './test/environment/typescript.mjs', ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
    process.stdout.write(text);
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  child = undefined;
  return { code, output };
}

async function runJest() {
  const began = Date.now();
  const dir = mkdtempSync(join(tmpdir(), 'parley-results-'));
  const file = join(dir, 'jest.json');
  const script = join(root, 'node_modules/jest/bin/jest.js');
  const args = ['--experimental-vm-modules', '--no-warnings', script, '--json', `--outputFile=${file}`, ...jestArgs];
  child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  let hangs;
  const watch = setInterval(() => {
    const finished = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
    if (hangs) return void child.kill('SIGKILL');
    if (finished && Date.now() - finished > END_MS)
      hangs = 'Jest did not end after its last test: something was left open';
    if (Date.now() - began > LIMIT_MS) hangs = `Jest did not end within ${LIMIT_MS / 60_000} minutes`;
    if (hangs) child.kill('SIGTERM');
  }, END_MS / 2);
  const code = await new Promise((resolve) => child.once('close', resolve));
  clearInterval(watch);
  child = undefined;
  const report = readReport(file);
  rmSync(dir, { recursive: true, force: true });
  const result = {
    name: 'tests',
    passed: report.numPassedTests,
    failed: report.numFailedTests,
    note: `${seconds(began)} s`,
  };
  const broken = report.numRuntimeErrorTestSuites;
  if (broken > 0) fail(result, `${broken} files did not run`, broken);
  if (report.numPendingTests > 0) result.note += `, ${report.numPendingTests} skipped`;
  if (report.numPassedTests + report.numFailedTests === 0) fail(result, 'no test ran');
  if (hangs) fail(result, hangs);
  else if (code !== 0 && result.failed === 0) fail(result, `Jest ended with ${code}`);
  return result;
}

function fail(result, why, times = 1) {
  result.failed += times;
  result.note += `, ${why}`;
}

function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return { numPassedTests: 0, numFailedTests: 0, numRuntimeErrorTestSuites: 0, numPendingTests: 0 };
  }
}

function seconds(since) {
  return ((Date.now() - since) / 1000).toFixed(1);
}

function summary() {
  const total = (count) => results.reduce((sum, result) => sum + result[count], 0);
  console.log('');
  for (const { name, passed, failed, note } of results) {
    console.log(`${failed === 0 ? '✓' : '✗'} ${name}: ${passed} passed, ${failed} failed (${note})`);
  }
  if (stopped) console.log(`✗ ended by ${stopped}`);
  console.log(`Took ${seconds(started)} s.`);
  console.log(`${total('passed')} passed, ${total('failed')} failed`);
  if (stopped) return 128 + constants.signals[stopped];
  return total('failed') === 0 && total('passed') > 0 ? 0 : 1;
}
