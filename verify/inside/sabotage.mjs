/**
 * Runs an instance with a bug (`PARLEY_BUG`), to see that the checker finds it. The bugs are put in from outside, at start: the
 * program itself carries none. Fails when the place that a bug goes to is no longer there.
 */
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** One frame in so many is mistreated. */
const oneIn = 200;

const dist = dirname(process.argv[1]);
const load = (path) => import(pathToFileURL(join(dist, path)).href);

function replace(prototype, method, make) {
  if (typeof prototype?.[method] !== 'function') throw new Error(`There is no ${method} to put a bug into`);
  prototype[method] = make(prototype[method]);
}

async function inDelivery(mistreat) {
  const { RoomBroadcaster } = await load('realtime/room-broadcaster.js');
  let frames = 0;
  replace(
    RoomBroadcaster.prototype,
    'deliver',
    (deliver) =>
      function (frame) {
        frames += 1;
        mistreat(frame, frames % oneIn === 0, (given) => deliver.call(this, given));
      },
  );
}

const bugs = {
  /** Acknowledges and broadcasts what is inserted; the commit follows a little later. */
  'ack-before-commit': async () => {
    const { MessageWriter } = await load('messages/message-writer.js');
    replace(
      MessageWriter.prototype,
      'flush',
      (flush) =>
        function (...args) {
          const { pool } = this;
          if (!pool.bugged) {
            const query = pool.query.bind(pool);
            pool.bugged = true;
            pool.query = async (wanted, ...rest) => {
              if (wanted?.name !== 'send_messages') return query(wanted, ...rest);
              const client = await pool.connect();
              const ignore = () => undefined;
              client.on('error', ignore);
              try {
                await client.query('begin');
                const result = await client.query(wanted);
                const commit = () =>
                  client.query('commit').then(
                    () => {
                      client.off('error', ignore);
                      client.release();
                    },
                    () => client.release(true),
                  );
                setTimeout(() => void commit(), 150);
                return result;
              } catch (error) {
                client.release(true);
                throw error;
              }
            };
          }
          return flush.apply(this, args);
        },
    );
  },
  drop: () => inDelivery((frame, now, deliver) => now || deliver(frame)),
  double: () =>
    inDelivery((frame, now, deliver) => {
      deliver(frame);
      if (now) deliver(frame);
    }),
  swap: async () => {
    const held = new Map();
    await inDelivery((frame, now, deliver) => {
      const before = held.get(frame.roomId);
      if (now && before === undefined) {
        held.set(frame.roomId, frame);
        return;
      }
      deliver(frame);
      if (before === undefined) return;
      held.delete(frame.roomId);
      deliver(before);
    });
  },
  /** What Redis lost is never looked for. */
  'no-anti-entropy': async () => {
    const { Sequencer } = await load('realtime/sequencer.js');
    replace(Sequencer.prototype, 'compare', () => () => Promise.resolve());
  },
};

const bug = bugs[process.env.PARLEY_BUG];
if (bug === undefined) throw new Error(`There is no bug called ${process.env.PARLEY_BUG}`);
await bug();
