import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Histogram } from '../checks/histogram.js';
import { Cluster } from '../processes/cluster.js';
import { Postgres } from '../processes/postgres.js';
import { Random } from '../random.js';
import { Recorder } from '../recorder.js';
import { isClean } from './compare.js';
import { readConversation } from './conversation.js';
import { replay, type Replayed } from './replay.js';

const usage = `npm run replay -- FILE.ndjson[.gz] [--instances 2] [--rate SENDS_A_SECOND] [--sockets 150] [--limit MESSAGES]

Says a recorded conversation again on a private cluster, and holds what came of it against the file.
A line of the file is {"room": …, "user": …, "text": …}.`;

const server = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
/** Between two lines of progress, in ms. */
const PROGRESS = 5_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    instances: { type: 'string', default: '2' },
    rate: { type: 'string' },
    sockets: { type: 'string', default: '150' },
    limit: { type: 'string' },
  },
});
const [file] = positionals;
const number = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));
const [instances = 2, rate, sockets = 150, limit] = [values.instances, values.rate, values.sockets, values.limit].map(
  number,
);
if (file === undefined || [instances, rate ?? 1, sockets, limit ?? 1].some((value) => !(value > 0))) {
  console.error(usage);
  process.exit(2);
}

const said = await readConversation(file, limit);
const dir = await mkdtemp(join(tmpdir(), 'parley-replay-'));
const recorder = new Recorder(join(dir, 'history.ndjson'));
const postgres = await Postgres.start();
let cluster: Cluster | undefined;
const stop = async (): Promise<void> => {
  await cluster?.stop();
  await postgres.stop();
  recorder.close();
  await rm(dir, { recursive: true, force: true });
};
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void stop().finally(() => process.exit(130)));
try {
  // Everybody comes from one address, and faster than people do.
  const environment = { CONNECTS_PER_SECOND: '2000', LOG_LEVEL: 'warn' };
  const topology = { instances, proxies: [], environment };
  cluster = await Cluster.start({ topology, postgres, server, dir, recorder, random: new Random('replay') });
  let shownAt = performance.now();
  const progress = (sent: number): void => {
    if (performance.now() - shownAt < PROGRESS) return;
    shownAt = performance.now();
    console.log(`${sent} of ${said.length} sent`);
  };
  const replayed = await replay({ said, cluster, rate, sockets, progress });
  console.log(told(replayed, instances));
  process.exitCode = replayed.compared.every(({ differences }) => isClean(differences)) ? 0 : 1;
} finally {
  await stop();
}

function told(
  { sent, seconds, deliveries, connects, acknowledgement, delivery, compared }: Replayed,
  count: number,
): string {
  const perSecond = (n: number): string => Math.round(n / seconds).toLocaleString('en');
  const rows = compared.map(({ where, differences: { lost, doubled, outOfOrder, altered, foreign } }) =>
    [where.padEnd(20), lost, doubled, outOfOrder, altered, foreign].map((cell) => String(cell).padStart(12)).join(''),
  );
  return [
    '',
    `${sent.toLocaleString('en')} messages sent over ${count} instances in ${seconds.toFixed(1)} s by ${connects.toLocaleString('en')} connections`,
    `${perSecond(sent)} sends a second, ${perSecond(deliveries)} deliveries a second`,
    `acknowledged within ${quantiles(acknowledgement)}`,
    `delivered to listeners within ${quantiles(delivery)}`,
    '',
    ['compared with the file', 'lost', 'doubled', 'out of order', 'altered', 'foreign']
      .map((cell, i) => (i === 0 ? cell.padEnd(20) : cell.padStart(12)))
      .join(''),
    ...rows,
  ].join('\n');
}

/** Of a histogram of µs. */
function quantiles(histogram: Histogram): string {
  return [0.5, 0.95, 0.99]
    .map((share) => `p${share * 100} ${(histogram.quantile(share) / 1_000).toFixed(1)} ms`)
    .join(', ');
}
