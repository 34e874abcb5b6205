import { readFileSync } from 'node:fs';

/** ESTABLISHED, in /proc/net/tcp. */
const established = '01';

/**
 * How many connections whose clients have these local ports the server, listening on those, still holds open. The clients themselves would not
 * notice a cut while they do not read, so the kernel is asked for the server's end.
 */
export function heldByServer(ports: ReadonlySet<number>, serverPorts: ReadonlySet<number>): number {
  const port = (address: string | undefined) => parseInt(address?.split(':')[1] ?? '', 16);
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, own, peer, state]) => state === established && serverPorts.has(port(own)) && ports.has(port(peer)))
    .length;
}
