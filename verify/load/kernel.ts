import { readFileSync } from 'node:fs';

/** ESTABLISHED, in /proc/net/tcp. */
const established = '01';

/**
 * How many connections whose clients have these local ports the server still holds open. The clients themselves would not
 * notice a cut while they do not read, so the kernel is asked for the server's end.
 */
export function heldByServer(ports: ReadonlySet<number>): number {
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , peer, state]) => state === established && ports.has(parseInt(peer?.split(':')[1] ?? '', 16))).length;
}
