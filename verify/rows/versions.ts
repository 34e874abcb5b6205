import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Instance } from '../processes/instance.js';
import { backlog, figureOf, type Row } from './row.js';

/** Parley beside an earlier version of itself. */
export const versionRows: Row[] = [
  {
    name: 'F-A8',
    title: 'two versions side by side, in the middle of a roll-out and of its roll-back',
    load: 'L1',
    seconds: 45,
    topology: { each: { a: { previous: true }, c: { previous: true } } },
    lacks: ({ previous }) =>
      previous === undefined
        ? 'It needs the build of an earlier version to run beside this one: --previous its main.js.'
        : undefined,
    steps: async (run) => {
      const [a, b] = run.cluster.nodes.map(({ instance }) => instance) as [Instance, Instance];
      const [earlier, later] = [a.server, b.server];
      run.measure('differences', differences(dirname(earlier), dirname(later)));
      const restart = (instance: Instance, server: string, name: string) =>
        run.fault(`${instance.name} ${name}`, async () => {
          await instance.end('SIGTERM');
          instance.server = server;
          await instance.start();
        });
      await run.pause(10_000);
      await restart(a, later, 'rolled out');
      await run.pause(6_000);
      await restart(b, earlier, 'rolled back');
    },
    figures: (judgement, { measured, load }) => [
      {
        name: 'files that differ between the versions',
        value: measured.get('differences')?.[0] ?? NaN,
        unit: '',
        limit: 1,
        atLeast: true,
      },
      { name: 'sends refused for good', value: load.counts.refused, unit: '', limit: 0 },
      { name: 'clients away p99', value: figureOf(judgement, 'C14', 'away p99'), unit: 'ms' },
      backlog(judgement, 5_000),
    ],
  },
];

/** How many programs of two builds are not the same: with none, nothing is mixed. */
function differences(one: string, other: string): number {
  const [left, right] = [programs(one), programs(other)];
  return [...new Set([...left.keys(), ...right.keys()])].filter((name) => left.get(name) !== right.get(name)).length;
}

/** By file: a digest of what it says. */
function programs(dir: string): Map<string, string> {
  const files = readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.js'));
  const digest = (name: string) =>
    createHash('sha256')
      .update(readFileSync(join(dir, name)))
      .digest('hex');
  return new Map(files.map((name) => [name, digest(name)]));
}
