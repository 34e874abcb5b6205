/** Floods from a process of its own, so that what it costs is not the load's: told by `flood.ts` where, as whom and for how long. */
import { flood, packetsOf } from '../../verify/load/flood.js';

export interface FloodOrder {
  url: string;
  tokens: string[];
  roomId: string;
  /** Packets a second of each connection. */
  perSecond: number;
  lengthMs: number;
}

process.on('message', ({ url, tokens, roomId, perSecond, lengthMs }: FloodOrder) => {
  const packets = packetsOf((n) => `42${n}${JSON.stringify(['room:sync', { roomId, after: 0 }])}`);
  void flood({ urls: [url], tokens, packets, connects: true, perSecond }, lengthMs).then((flooded) =>
    process.send?.(flooded),
  );
});
// Not longer than who started it.
process.on('disconnect', () => process.exit(1));
