import type { CheckName } from '../checks/index.js';
import type { Row, RunningRow } from './row.js';

function seeded(
  bug: string,
  title: string,
  foundBy: CheckName[],
  steps: Row['steps'],
  topology: Row['topology'] = {},
): Row {
  return {
    name: `F-X1 ${bug}`,
    title: `the checker finds a build that ${title}`,
    load: 'L1',
    seconds: 30,
    quick: { load: 'L1', seconds: 16 },
    topology,
    bug: { name: bug, foundBy },
    steps,
  };
}

const nothing = () => Promise.resolve();

async function killPostgres({ cluster, fault, pause }: RunningRow): Promise<void> {
  await pause(8_000);
  await fault('Postgres killed', async () => {
    cluster.postgres.signal('SIGKILL');
    await cluster.postgres.ready();
  });
}

/** Redis is away at the end of the load, so that nothing that comes later shows the gap. */
async function loseTheEnd({ cluster, fault, pause, lengthMs }: RunningRow): Promise<void> {
  await pause(lengthMs - 6_000);
  await fault('Redis killed', async () => {
    await cluster.redis.kill();
    await pause(8_000);
    await cluster.redis.restart();
  });
}

/** The checker, checked: each of these has to be found. */
export const checkerRows: Row[] = [
  seeded('ack-before-commit', 'acknowledges before the commit', ['C1'], killPostgres),
  seeded('drop', 'drops one frame in 200', ['C5'], nothing),
  seeded('double', 'delivers one frame in 200 twice', ['C5'], nothing),
  seeded('swap', 'swaps one frame in 200 with the next', ['C5'], nothing),
  seeded('no-anti-entropy', 'never looks for what Redis lost', ['C8'], loseTheEnd),
];
