import { BenchClient } from './client.js';
import { dialects, type DialectName } from './dialect.js';
import { inTurns } from './in-turns.js';

export interface ConnectJob {
  dialect: DialectName;
  urls: string[];
  /** One for each connection. */
  tokens: string[];
}

/** What it answers to `connect`. */
export interface Connected {
  seconds: number;
}

export type ConnectOrder = { type: 'connect'; job: ConnectJob } | { type: 'close' };

let clients: BenchClient[] = [];

process.on('message', (order: ConnectOrder) => {
  void carryOut(order).then(
    (answer) => process.send?.(answer),
    (error: unknown) => {
      console.error(error);
      // At once: the connections that were made already would keep it alive.
      process.exit(1);
    },
  );
});

async function carryOut(order: ConnectOrder): Promise<Connected> {
  const since = performance.now();
  if (order.type === 'close') for (const client of clients.splice(0)) client.close();
  else {
    const { dialect, urls, tokens } = order.job;
    clients = await inTurns(tokens.length, (i) =>
      BenchClient.connect(urls[i % urls.length] ?? '', dialects[dialect], tokens[i] ?? ''),
    );
  }
  return { seconds: (performance.now() - since) / 1_000 };
}
