import { runLoads } from './rounds.js';
import { withBacking } from './servers/backing.js';
import { contenderOf } from './servers/contenders.js';
import { loadTables } from './tables.js';
import { windows, workloads } from './workloads.js';

/**
 * A look at the speed at the end of every full test: one short round, told and not judged, because a machine that does something else
 * beside is no reason to fail. It fails where something was lost, came twice or was not answered, or where it could not run.
 */
const loads = workloads.filter(({ name }) => ['W1-10-max', 'W1-100-max'].includes(name));
const compared = ['P1', 'P4', 'Parley'].map(contenderOf);

const figures = await withBacking((backing) => runLoads({ rounds: 1, compared, backing }, loads, windows.cold));
console.log(`\n${loadTables({ loads: figures }).join('\n')}`);
for (const { name } of loads) {
  const of = (server: string): number => figures[name]?.[server]?.[0]?.deliveriesPerSecond ?? NaN;
  const ratio = (server: string): string => `${(of('Parley') / of(server)).toFixed(2)} × ${server}`;
  console.log(`${name}: Parley is ${ratio('P1')}, ${ratio('P4')}`);
}
const broken = Object.values(figures)
  .flatMap((byServer) => byServer['Parley'] ?? [])
  .some(({ lost, doubled, refused, unanswered }) => lost + doubled + refused + unanswered > 0);
if (broken) {
  console.log('Parley lost something, told it twice, or did not take or answer a send');
  process.exitCode = 1;
}
