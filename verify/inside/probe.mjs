/**
 * Runs inside each instance that the checker starts (`node --import`): tells what nobody caught, and on request what the
 * process holds. It changes nothing of what Parley does and does not keep it alive; it ends it when the checker is gone.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import Pool from 'pg-pool';

const tell = (message) => process.connected && process.send(message, () => undefined);
const text = (error) => String(error?.stack ?? error).slice(0, 2_000);

process.on('uncaughtExceptionMonitor', (error, origin) => {
  if (origin === 'uncaughtException') tell({ type: 'uncaught', detail: text(error) });
});
// Parley has a listener of its own, so that one more changes nothing.
process.on('unhandledRejection', (error) => tell({ type: 'unhandled', detail: text(error) }));

/** Nothing where the process may open no file, which this needs. */
function memory() {
  try {
    return process.memoryUsage();
  } catch {
    return {};
  }
}

const lag = monitorEventLoopDelay({ resolution: 10 });
lag.enable();

// How many wait is known by the pool alone, and only at the moment.
let waiters = 0;
const connect = Pool.prototype.connect;
Pool.prototype.connect = function (...args) {
  const connected = connect.apply(this, args);
  waiters = Math.max(waiters, this.waitingCount);
  return connected;
};

process.on('message', (message) => {
  if (message?.type === 'block') {
    const end = performance.now() + message.ms;
    while (performance.now() < end);
  }
  if (message?.type === 'exhaust') {
    const held = [];
    // A leak, not a blow: it goes on serving for as long as the collector lets it.
    setInterval(() => held.push(Array.from({ length: 50_000 }, (_, i) => ({ i }))), 5);
  }
  if (message?.type !== 'sample') return;
  if (!message.collect) tellSample(message.id);
  else void collect().then(() => tellSample(message.id));
});

/** Twice, because what the first collection ends is only let go by the second; and memory goes back to the system a little later. */
async function collect() {
  for (let i = 0; i < 2; i++) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 400));
  }
}

function tellSample(id) {
  const { rss, heapUsed } = memory();
  const { user, system } = process.cpuUsage();
  const resources = process.getActiveResourcesInfo();
  const held = (name) => resources.filter((resource) => resource === name).length;
  const values = {
    rss,
    heap: heapUsed,
    sockets: held('TCPSocketWrap'),
    timers: held('Timeout'),
    cpuMs: (user + system) / 1_000,
    lagP99Ms: lag.percentile(99) / 1e6,
    lagMaxMs: lag.max / 1e6,
    waiters,
  };
  waiters = 0;
  lag.reset();
  tell({ type: 'sample', id, values });
}
process.on('disconnect', () => process.exit(1));
process.channel?.unref();
