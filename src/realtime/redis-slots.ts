/** Every channel of sharded pub/sub lies in one of these; a master of a Redis Cluster owns ranges of them. */
export const SLOTS = 16_384;

/** For each slot the address (`host:port`) of the master that owns it; a hole where nobody does. */
export type SlotOwners = readonly (string | undefined)[];

/** The slot of a channel, as Redis computes it: CRC16 of the name, or of what stands between its first braces. */
export function slotOf(channel: string): number {
  const open = channel.indexOf('{');
  const close = open < 0 ? -1 : channel.indexOf('}', open + 1);
  const hashed = close > open + 1 ? channel.slice(open + 1, close) : channel;
  let crc = 0;
  for (const byte of Buffer.from(hashed)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = ((crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021) & 0xffff;
  }
  return crc % SLOTS;
}

/**
 * Reads the answer to `CLUSTER SLOTS`.
 * @param asked the host that was asked: a node that does not know its own address leaves it out
 * @throws when the answer has another shape
 */
export function readSlotOwners(answer: unknown, asked: string): SlotOwners {
  const owners = new Array<string | undefined>(SLOTS).fill(undefined);
  if (!Array.isArray(answer)) throw new Error('CLUSTER SLOTS answered no list');
  for (const range of answer as unknown[]) {
    const [from, to, master] = Array.isArray(range) ? (range as unknown[]) : [];
    const [host, port] = Array.isArray(master) ? (master as unknown[]) : [];
    if (typeof from !== 'number' || typeof to !== 'number' || typeof port !== 'number')
      throw new Error('CLUSTER SLOTS answered no ranges');
    const known = typeof host === 'string' && host !== '' && host !== '?' ? host : asked;
    owners.fill(`${known.includes(':') ? `[${known}]` : known}:${port}`, from, to + 1);
  }
  return owners;
}
