import type { ConnectionStatus, Parley } from '../../sdk/index.js';

/** Keeps what a client was told: every change event and every status. */
export class Follower {
  readonly statuses: ConnectionStatus[] = [];
  private readonly seen = new Map<string, number[]>();

  constructor(readonly parley: Parley) {
    parley.on('status', (status) => this.statuses.push(status));
    parley.on('change', (roomId, change) => {
      if (change.kind === 'message') this.seqs(roomId).push(change.message.seq);
    });
    parley.on('reset', (roomId) => {
      throw new Error(`Room ${roomId} was reset, though every change can be told`);
    });
  }

  /** The seqs of the room's messages in the order in which their changes came. */
  seqs(roomId: string): number[] {
    let seqs = this.seen.get(roomId);
    if (seqs === undefined) this.seen.set(roomId, (seqs = []));
    return seqs;
  }
}
