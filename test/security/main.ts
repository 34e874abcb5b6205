/**
 * `npm run test:security`: runs every test that has the number of a case in its name, those that take long, too, and prints the
 * table of all cases. `--quick` leaves out what takes minutes, and says so in the table.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cases } from './cases.js';
import { isPassed, tableOf, type Outcome } from './table.js';
import { testsOfCases } from './tests-of-cases.js';

const quick = process.argv.includes('--quick');

interface JestReport {
  testResults: { message: string; assertionResults: { fullName: string; status: string }[] }[];
}

/** Programs of their own, and the cases that they try. */
const programs = [
  { name: 'npm run fuzz', args: ['test/security/fuzz.ts'], ids: ['S-29', 'S-31', 'S-32', 'S-33'] },
  { name: 'npm run verify -- --row F-C3', args: ['verify/main.ts', '--all', '--row', 'F-C3'], ids: ['S-05', 'S-40'] },
];

const outcomes = await runJest();
for (const { name, args, ids } of programs) {
  if (quick) continue;
  const code = await run(['scripts/run.mjs', ...args], 'inherit');
  outcomes.push({ name: `${name} (${ids.join(', ')})`, passed: code === 0 });
}
console.log(`\n${tableOf(cases, outcomes)}`);
if (quick) console.log('\n--quick: what takes minutes did not run.');
process.exit(isPassed(cases, outcomes) ? 0 : 1);

async function runJest(): Promise<Outcome[]> {
  const dir = mkdtempSync(join(tmpdir(), 'parley-security-'));
  const file = join(dir, 'jest.json');
  const files = testsOfCases().filter((path) => !(quick && path.endsWith('.heavy.ts')));
  const code = await run([
    '--experimental-vm-modules',
    '--no-warnings',
    'node_modules/jest/bin/jest.js',
    '--json',
    `--outputFile=${file}`,
    '--silent',
    '--testMatch',
    '<rootDir>/test/**/*.{test,heavy}.ts',
    '--testNamePattern',
    '\\bS-\\d\\d\\b',
    '--runTestsByPath',
    ...files,
  ]);
  try {
    const report = JSON.parse(readFileSync(file, 'utf8')) as JestReport;
    const found = report.testResults.flatMap(({ assertionResults }) =>
      assertionResults
        .filter(({ status }) => status !== 'pending')
        .map(({ fullName, status }) => ({ name: fullName, passed: status === 'passed' })),
    );
    // A file that does not even run has no results of its own.
    if (code !== 0 && found.every(({ passed }) => passed))
      found.push({ name: `Jest ended with ${code}`, passed: false });
    return found;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function run(args: string[], output: 'ignore' | 'inherit' = 'ignore'): Promise<number> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', output, 'inherit'] });
  return new Promise((resolve) => child.once('close', (code) => resolve(code ?? 1)));
}
