import { randomUUID } from 'node:crypto';

/** After so long without a beat, one is missed, in ms: what was published since may not have come. */
const LATE = 1_000;
/** An instance that falls silent without a word is taken for cut off from Redis, and after this long for gone, in ms. */
const FORGOTTEN = 10 * 60_000;
/** Other instances that are listened for, at most. */
const PEERS = 1_000;

/** The beats that come over the bus: our own, and those of the other instances, each with its id. Times are `Date.now()`. */
export class BusBeats {
  readonly id = randomUUID();
  /** The last word of an instance that goes. */
  readonly goodbye = `bye ${this.id}`;
  private own = 0;
  private readonly peers = new Map<string, number>();

  /** Whose it was; `junk` is a beat of nobody. */
  hear(beat: string, now = Date.now()): 'own' | 'peer' | 'junk' {
    if (beat === this.id) {
      this.own = now;
      return 'own';
    }
    if (beat.startsWith('bye ')) {
      this.peers.delete(beat.slice(4));
      return 'peer';
    }
    if (beat.length !== this.id.length || (this.peers.size >= PEERS && !this.peers.has(beat))) return 'junk';
    this.peers.set(beat, now);
    return 'peer';
  }

  /** How many instances beat, ourselves included. */
  get instances(): number {
    return this.peers.size + 1;
  }

  /** From here on: what was missed before, while we could not hear, is nobody's silence. */
  begin(now = Date.now()): void {
    this.own = now;
    for (const peer of this.peers.keys()) this.peers.set(peer, now);
  }

  /** How long ago our own came back, in ms. */
  age(now = Date.now()): number {
    return now - this.own;
  }

  /** Whether a beat is missed, our own or that of another instance, which may have lost Redis alone. */
  isOneMissed(now = Date.now()): boolean {
    let missed = this.age(now) > LATE;
    for (const [peer, last] of this.peers) {
      if (now - last > FORGOTTEN) this.peers.delete(peer);
      else if (now - last > LATE) missed = true;
    }
    return missed;
  }
}
