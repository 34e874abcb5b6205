import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Postgres } from '../processes/postgres.js';
import { measure, type Cost } from './measure.js';

/** What both ways of telling other instances cost: in turns in one run, medians of the rounds. ADR 8 is about it. */

const server = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const rounds = 3;
const adapters = ['classic', 'sharded'] as const;
const scenes = [
  { name: '2 instances, every room on both', instances: 2, together: false },
  { name: '4 instances, every room on one', instances: 4, together: true },
];
const columns: { name: string; of: keyof Cost }[] = [
  { name: 'processor, µs a change delivered', of: 'cpuMicros' },
  { name: 'Redis, bytes a message', of: 'redisBytes' },
  { name: 'Redis, processor µs a message', of: 'redisMicros' },
  { name: 'other instances p50, ms', of: 'p50' },
  { name: 'other instances p99, ms', of: 'p99' },
];

const dir = await mkdtemp(join(tmpdir(), 'parley-adapters-'));
const postgres = await Postgres.start();
try {
  for (const { name, instances, together } of scenes) {
    const costs = { classic: [] as Cost[], sharded: [] as Cost[] };
    for (let round = 0; round < rounds; round++) {
      for (const adapter of round % 2 === 0 ? adapters : adapters.toReversed()) {
        costs[adapter].push(
          await measure({ adapter, instances, together, postgres, server, dir, seed: `round ${round}` }),
        );
      }
    }
    console.log(`\n| ${name} | classic | sharded | sharded / classic |\n|---|---:|---:|---:|`);
    for (const { name: column, of } of columns) {
      const [classic, sharded] = adapters.map((adapter) => median(costs[adapter].map((cost) => cost[of])));
      const ratio = (sharded ?? NaN) / (classic ?? NaN);
      console.log(
        `| ${column} | ${shown(classic)} | ${shown(sharded)} | ${Number.isNaN(ratio) ? '–' : ratio.toFixed(2)} |`,
      );
    }
  }
} finally {
  await postgres.stop();
  await rm(dir, { recursive: true, force: true });
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

function shown(value = NaN): string {
  return Number.isNaN(value) ? '–' : value.toFixed(value < 100 ? 1 : 0);
}
