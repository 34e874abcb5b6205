import type { Client } from 'pg';
import { pause as wait } from '../processes/program.js';
import { SmallDisk } from '../processes/small-disk.js';
import { answersInTime, readyAgain, refusals, refusedForGood, timeUntilReady } from './postgres-figures.js';
import { against, sum, timeUntil, worst, type Row, type RunningRow } from './row.js';

const instancesOf = ({ cluster }: RunningRow) => cluster.nodes.map(({ instance }) => instance);

/** Postgres runs and answers, but not what is wanted. */
export const postgresRefusalRows: Row[] = [
  {
    name: 'F-P7',
    title: 'somebody else takes every connection that Postgres has',
    load: 'L2',
    seconds: 50,
    steps: async (run) => {
      const { postgres, databaseUrl } = run.cluster;
      const admin = await postgres.connect(databaseUrl);
      const taken: Client[] = [];
      await run.pause(8_000);
      await run.fault('no connection is left', async () => {
        const end = performance.now() + 15_000;
        while (performance.now() < end) {
          await takeAll(postgres, taken);
          // What Parley holds still goes to whoever is quicker.
          await admin.query(terminateAll);
        }
        run.measure('taken', taken.length);
        run.measure('red', await timeUntil(run, instancesOf(run), ({ ready }) => !ready, 5_000));
        await Promise.all(taken.map((client) => client.end()));
      });
      run.measure('healthy', await timeUntilReady(run));
      await admin.end();
    },
    figures: (judgement, run) => [
      { name: 'connections taken', value: sum(run, 'taken'), unit: '', limit: 150, atLeast: true },
      { name: 'not ready at the end after', value: worst(run, 'red'), unit: 'ms', limit: 5_000 },
      { name: 'answered unavailable', value: refusals(judgement, 'unavailable'), unit: '', limit: 1, atLeast: true },
      answersInTime(judgement),
      readyAgain(run),
      refusedForGood(run),
    ],
  },
  {
    name: 'F-P8',
    title: 'somebody holds the lock of one room for 10 s',
    load: 'L2',
    seconds: 40,
    steps: async (run) => {
      const { postgres, databaseUrl } = run.cluster;
      const [roomId = ''] = run.load.rooms;
      const holder = await postgres.connect(databaseUrl);
      const watcher = await postgres.connect(databaseUrl);
      await run.pause(8_000);
      await run.fault(
        'one room is locked',
        async () => {
          await holder.query('begin');
          await holder.query('select from rooms where id = $1 for update', [roomId]);
          const end = performance.now() + 10_000;
          while (performance.now() < end) {
            const { rows } = await watcher.query<{ waiting: number }>(waitingForLocks);
            run.measure('waiting', rows[0]?.waiting ?? 0);
            await run.pause(250);
          }
          await holder.query('rollback');
        },
        { rooms: [run.recorder.nameOf(roomId)] },
      );
      await Promise.all([holder.end(), watcher.end()]);
    },
    figures: (judgement, run) => [
      { name: 'seen waiting for the lock', value: sum(run, 'waiting'), unit: '', limit: 5, atLeast: true },
      against(judgement, 'ack', 1.5, run, 'beside'),
      against(judgement, 'same', 1.5, run, 'beside'),
      against(judgement, 'cross', 1.5, run, 'beside'),
      answersInTime(judgement),
      refusedForGood(run),
    ],
  },
  {
    name: 'F-P9',
    title: 'one transaction in ten ends in a deadlock or cannot be serialized (40P01, 40001)',
    load: 'L2',
    seconds: 40,
    steps: async (run) => {
      const { postgres, databaseUrl } = run.cluster;
      await postgres.query(conflicts, [], databaseUrl);
      await run.pause(8_000);
      await run.fault('conflicts', async () => {
        await postgres.query(conflict, [], databaseUrl);
        await run.pause(20_000);
        await postgres.query('drop trigger conflict on messages', [], databaseUrl);
      });
      const [row] = await postgres.query<{ made: number }>(
        'select last_value::float8 as made from conflicts',
        [],
        databaseUrl,
      );
      run.measure('conflicts', row?.made ?? NaN);
    },
    figures: (judgement, run) => [
      { name: 'transactions that failed', value: sum(run, 'conflicts'), unit: '', limit: 50, atLeast: true },
      { name: 'sends that clients had to try again', value: run.load.counts.triedAgain, unit: '', limit: 0 },
      answersInTime(judgement),
      refusedForGood(run),
    ],
  },
  {
    name: 'F-P10',
    title: 'the disk of Postgres is full, its log included, for 10 s',
    load: 'L1',
    seconds: 50,
    disk: 256,
    lacks: () => SmallDisk.whyNot(),
    steps: async (run) => {
      const { postgres } = run.cluster;
      await run.pause(8_000);
      await run.fault('disk full', async () => {
        run.measure('taken', postgres.disk.fill() / 2 ** 20);
        // What is left in the file of the log that is open would last for minutes.
        for (let i = 0; i < 5; i++)
          await postgres.query('select pg_switch_wal()').catch(() => run.measure('refused', 1));
        run.measure('red', await timeUntil(run, instancesOf(run), ({ ready }) => !ready, 10_000));
        await run.pause(10_000);
        await postgres.disk.free();
      });
      await postgres.ready();
      run.measure('healthy', await timeUntilReady(run));
    },
    figures: (judgement, run) => [
      { name: 'space taken away', value: sum(run, 'taken'), unit: 'MiB', limit: 1, atLeast: true },
      { name: 'not ready any more after', value: worst(run, 'red'), unit: 'ms', limit: 10_000 },
      { name: 'answered unavailable', value: refusals(judgement, 'unavailable'), unit: '', limit: 1, atLeast: true },
      answersInTime(judgement),
      readyAgain(run),
      refusedForGood(run),
    ],
  },
  {
    name: 'F-P11',
    title: 'the primary becomes read-only for 10 s',
    load: 'L2',
    seconds: 45,
    steps: async (run) => {
      const { postgres, databaseUrl } = run.cluster;
      const admin = await postgres.connect(databaseUrl);
      const readOnly = async (on: boolean) => {
        await admin.query(`alter system set default_transaction_read_only = ${on ? 'on' : 'off'}`);
        await admin.query('select pg_reload_conf()');
      };
      await run.pause(8_000);
      await run.fault('read-only', async () => {
        const before = await backends(admin);
        run.measure('before', before.length);
        await readOnly(true);
        await run.pause(10_000);
        const now = new Set(await backends(admin));
        run.measure('kept', before.filter((pid) => now.has(pid)).length);
        await readOnly(false);
      });
      run.measure('healthy', await timeUntilReady(run));
      await admin.end();
    },
    figures: (judgement, run) => [
      { name: 'connections before', value: sum(run, 'before'), unit: '', limit: 3, atLeast: true },
      // After a failover they lead to the server that is the primary no more.
      { name: 'of them kept', value: sum(run, 'kept'), unit: '', limit: 0 },
      { name: 'answered unavailable', value: refusals(judgement, 'unavailable'), unit: '', limit: 1, atLeast: true },
      answersInTime(judgement),
      readyAgain(run),
      refusedForGood(run),
    ],
  },
];

const ours = `datname = current_database() and application_name = 'parley'`;
const terminateAll = `select pg_terminate_backend(pid) from pg_stat_activity where ${ours}`;
const waitingForLocks = `select count(*)::int as waiting from pg_stat_activity where ${ours} and wait_event_type = 'Lock'`;

async function backends(admin: Client): Promise<number[]> {
  const { rows } = await admin.query<{ pid: number }>(`select pid from pg_stat_activity where ${ours}`);
  return rows.map(({ pid }) => pid);
}

/** Connects until Postgres has no connection more. */
async function takeAll(postgres: RunningRow['cluster']['postgres'], taken: Client[]): Promise<void> {
  for (;;) {
    try {
      taken.push(await postgres.connect());
    } catch {
      await wait(5);
      return;
    }
  }
}

const conflicts = `
  create sequence conflicts;
  create function conflict() returns trigger language plpgsql as $$ begin
    if random() < 0.1 then
      perform nextval('conflicts');
      raise exception 'made by the checker' using errcode = case when random() < 0.5 then '40P01' else '40001' end;
    end if;
    return null;
  end $$`;
const conflict = 'create trigger conflict after insert on messages for each statement execute function conflict()';
