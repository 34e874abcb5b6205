import { pause } from '../processes/program.js';
import { frame, RawConnection } from './raw-connection.js';

/** Packets in one write. */
const burst = 1_000;
/** A flooder that was cut comes back after this long, in ms. */
const comeBackMs = 1_000;

export interface FloodOptions {
  /** One for each flooder; they are spread over these. */
  urls: string[];
  /** One for each flooder. */
  tokens: string[];
  /** What each flooder sends, again and again; see `packetsOf`. */
  packets: Buffer;
  /** Whether to connect properly first. */
  connects: boolean;
  /** Packets a second that each flooder wants to send. */
  perSecond: number;
}

/** What a flood came to. */
export interface Flooded {
  /** Packets that were handed to the kernel. */
  packets: number;
  /** Connections that the server ended. */
  cuts: number;
  /** From the first packet to the end of the connection at the latest, in ms; NaN while one was never cut. */
  slowestCutMs: number;
}

/** What a flood sends at a time. Made beforehand, because the making would hold up whoever measures in this process. */
export function packetsOf(packet: (n: number) => string): Buffer {
  return Buffer.concat(Array.from({ length: burst }, (_, n) => frame(packet(n))));
}

/** Floods from several connections for so long; one that is cut comes back and does it again. */
export async function flood(options: FloodOptions, lengthMs: number): Promise<Flooded> {
  const result: Flooded = { packets: 0, cuts: 0, slowestCutMs: 0 };
  const end = performance.now() + lengthMs;
  await Promise.all(
    options.tokens.map(async (token, i) => {
      const url = options.urls[i % options.urls.length] ?? '';
      while (performance.now() < end) {
        await floodOnce(url, token, options, end, result);
        await pause(comeBackMs);
      }
    }),
  );
  return result;
}

async function floodOnce(
  url: string,
  token: string,
  options: FloodOptions,
  end: number,
  result: Flooded,
): Promise<void> {
  const connection = await RawConnection.open(url);
  if (connection === undefined) return;
  if (options.connects) {
    const ready = new Promise<void>((resolve) => {
      connection.onText = (text) => {
        if (text.includes('session:ready')) resolve();
      };
    });
    connection.send(`40${JSON.stringify({ token })}`);
    await Promise.race([ready, connection.closed, pause(5_000)]);
  }
  const since = performance.now();
  let sent = 0;
  while (!connection.isOver && performance.now() < Math.max(end, since + 3_000)) {
    const due = ((performance.now() - since) / 1_000) * options.perSecond;
    // What the server does not take waits in the kernel, not here.
    while (sent < due && connection.waiting === 0) {
      if (!connection.write(options.packets)) break;
      sent += burst;
    }
    await pause(10);
  }
  result.packets += sent;
  const took = performance.now() - since;
  if (connection.isOver) {
    result.cuts += 1;
    result.slowestCutMs = Math.max(result.slowestCutMs, took);
  } else result.slowestCutMs = NaN;
  connection.destroy();
}
