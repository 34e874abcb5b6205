/** Floods from a process of its own, so that what it costs is not the load's: told by `flood.ts` what, where and for how long. */
import { Agent, request } from 'node:http';
import { flood, packetsOf } from '../../verify/load/flood.js';
import { RawConnection } from '../../verify/load/raw-connection.js';
import { pause } from '../../verify/processes/program.js';

export type FloodOrder = { url: string; lengthMs: number } & (
  | {
      kind: 'requests';
      tokens: string[];
      roomId: string;
      /** Packets a second of each connection. */ perSecond: number;
    }
  | { kind: 'log-ins'; count: number }
  | { kind: 'handshakes'; perSecond: number }
);

/** Another machine's, so that those who are flooded are not taken for it. */
const elsewhere = '127.0.0.2';
/** How long a log-in that was refused waits where it is not told, in ms. */
const pauseMs = 1_000;
/** A token that looks like one. */
const forged = `${Buffer.from('{"alg":"HS256"}').toString('base64url')}.${Buffer.from('{"sub":"x"}').toString('base64url')}.${'A'.repeat(43)}`;

process.on('message', (order: FloodOrder) => {
  void told(order).then((what) => process.send?.(what));
});
// Not longer than who started it.
process.on('disconnect', () => process.exit(1));

/** @returns what it came to */
async function told(order: FloodOrder): Promise<string> {
  switch (order.kind) {
    case 'requests':
      return requests(order);
    case 'log-ins':
      return logIns(order);
    case 'handshakes':
      return handshakes(order);
  }
}

async function requests(order: Extract<FloodOrder, { kind: 'requests' }>): Promise<string> {
  const { url, tokens, roomId, perSecond, lengthMs } = order;
  const packets = packetsOf((n) => `42${n}${JSON.stringify(['room:sync', { roomId, after: 0 }])}`);
  const flooded = await flood({ urls: [url], tokens, packets, connects: true, perSecond }, lengthMs);
  return `${flooded.packets} packets, ${flooded.cuts} cuts`;
}

/** So many people log in at the same moment, each from an address of his own; who is told to wait does, and tries again. */
async function logIns({ url, count, lengthMs }: Extract<FloodOrder, { kind: 'log-ins' }>): Promise<string> {
  const agent = new Agent({ keepAlive: true, maxSockets: count, localAddress: elsewhere });
  const end = performance.now() + lengthMs;
  const answers = new Map<number, number>();
  await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      while (performance.now() < end) {
        const { status, retryAfterMs } = await logIn(agent, url, i);
        answers.set(status, (answers.get(status) ?? 0) + 1);
        if (status !== 429) return;
        await pause(retryAfterMs);
      }
    }),
  );
  agent.destroy();
  return [...answers].map(([status, times]) => `${times} answered ${status}`).join(', ');
}

function logIn(agent: Agent, url: string, i: number): Promise<{ status: number; retryAfterMs: number }> {
  const body = JSON.stringify({ handle: `flooder-${i}`, password: 'not the right one' });
  const headers = {
    'content-type': 'application/json',
    'content-length': body.length,
    'x-forwarded-for': `10.0.${i >> 8}.${i & 255}`,
  };
  return new Promise((resolve) => {
    const asked = request(`${url}/v1/sessions`, { agent, method: 'POST', headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('close', () => {
        const [, retryAfterMs = pauseMs] = /"retryAfterMs":(\d+)/.exec(text) ?? [];
        resolve({ status: response.statusCode ?? 0, retryAfterMs: Number(retryAfterMs) });
      });
    });
    asked.on('error', () => resolve({ status: 0, retryAfterMs: pauseMs }));
    asked.end(body);
  });
}

/** Connections whose token does not hold, one after the other at a steady pace, whatever becomes of them. */
async function handshakes({ url, perSecond, lengthMs }: Extract<FloodOrder, { kind: 'handshakes' }>): Promise<string> {
  const since = performance.now();
  const open: Promise<void>[] = [];
  let refused = 0;
  for (let made = 0; performance.now() < since + lengthMs;) {
    for (const due = ((performance.now() - since) / 1_000) * perSecond; made < due; made++) {
      open.push(
        RawConnection.open(url, lengthMs, elsewhere).then(async (connection) => {
          connection?.send(`40${JSON.stringify({ token: forged })}`);
          await Promise.race([connection?.closed, pause(lengthMs)]);
          if (connection?.isOver !== false) refused += 1;
          connection?.destroy();
        }),
      );
    }
    await pause(5);
  }
  await Promise.all(open);
  return `${open.length} connections, ${refused} refused`;
}
