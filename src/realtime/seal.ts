import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto';

/** Bytes of the HMAC-SHA256 that stand before a message: half of it, which is as much as is worth sending (RFC 2104, section 5). */
const MAC = 16;

/**
 * Tells what an instance of ours published from what somebody else did who has come into Redis. The channel is sealed along with
 * the message: what was said in one room cannot be said again in another.
 */
export class Seal {
  private readonly keys: readonly KeyObject[];

  /** @param keys with the first one is sealed, with any may have been; with none, nothing is */
  constructor(keys: readonly string[] = []) {
    this.keys = keys.map((key) => createSecretKey(Buffer.from(key)));
  }

  close(channel: string, message: string | Buffer): string | Buffer {
    const [key] = this.keys;
    if (key === undefined) return message;
    const bytes = typeof message === 'string' ? Buffer.from(message) : message;
    return Buffer.concat([macOf(key, channel, bytes), bytes]);
  }

  /** What was sealed; undefined where that was none of us, or it was for another channel. */
  open(channel: string | Buffer, sealed: Buffer): Buffer | undefined {
    if (this.keys.length === 0) return sealed;
    if (sealed.length < MAC) return undefined;
    const mac = sealed.subarray(0, MAC);
    const message = sealed.subarray(MAC);
    return this.keys.some((key) => timingSafeEqual(macOf(key, channel, message), mac)) ? message : undefined;
  }
}

function macOf(key: KeyObject, channel: string | Buffer, message: Buffer): Buffer {
  // No channel has a NUL in its name.
  return createHmac('sha256', key).update(channel).update('\0').update(message).digest().subarray(0, MAC);
}
