import type { Change, Message, RoomChanges } from '../protocol/index.js';

/**
 * What not every socket of a room may see: what was said before its user joined (of such a message not even its later edit or
 * deletion), and what somebody says in the shadow, which only he sees. Most rooms have nothing of it: their frames are sent as they are.
 */
export class Veils {
  /** By channel and socket the seq up to which messages are not for it. Bounded by the sockets' rooms. */
  private readonly channels = new Map<string, Map<string, number>>();

  /** @param isOf whether a socket is one of this user's */
  constructor(private readonly isOf: (socketId: string, userId: string) => boolean) {}

  put(channel: string, socketId: string, visibleAfter: number): void {
    if (visibleAfter === 0) {
      this.lift(channel, socketId);
      return;
    }
    const ofChannel = this.channels.get(channel);
    if (ofChannel === undefined) this.channels.set(channel, new Map([[socketId, visibleAfter]]));
    else ofChannel.set(socketId, visibleAfter);
  }

  /** Called whenever a socket leaves a channel. */
  lift(channel: string, socketId: string): void {
    const ofChannel = this.channels.get(channel);
    if (ofChannel?.delete(socketId) === true && ofChannel.size === 0) this.channels.delete(channel);
  }

  /** What a socket may have of the frame; undefined where all may have all of it. */
  over(channel: string, frame: RoomChanges): ((socketId: string) => RoomChanges) | undefined {
    const ofChannel = this.channels.get(channel);
    const inShadow = frame.changes.some(isShadowed);
    if (ofChannel === undefined && !inShadow) return undefined;
    const seen = inShadow ? this.shadesOf(frame) : () => frame;
    if (ofChannel === undefined) return seen;
    const oldest = frame.changes.reduce(
      (seq, change) => (change.kind === 'message' ? Math.min(seq, change.message.seq) : seq),
      Infinity,
    );
    if ([...ofChannel.values()].every((visibleAfter) => visibleAfter < oldest)) return inShadow ? seen : undefined;
    return (socketId) => visible(seen(socketId), ofChannel.get(socketId) ?? 0);
  }

  /** The frame as each of those in the shadow sees it, and as everybody else does; one object for all who see the same. */
  private shadesOf(frame: RoomChanges): (socketId: string) => RoomChanges {
    const userIds = new Set(frame.changes.flatMap((change) => (isShadowed(change) ? [change.message.sender.id] : [])));
    const own = [...userIds].map((userId) => ({ userId, frame: shaded(frame, userId) }));
    const others = shaded(frame, undefined);
    return (socketId) => own.find(({ userId }) => this.isOf(socketId, userId))?.frame ?? others;
  }
}

/** The same changes without those of messages that are not for this member. */
export function visible<T extends Pick<RoomChanges, 'changes'>>(changed: T, visibleAfter: number): T {
  if (visibleAfter === 0) return changed;
  const changes = changed.changes.filter((change) => change.kind !== 'message' || change.message.seq > visibleAfter);
  return { ...changed, changes };
}

/** The same changes as this user sees them; as all others do where it is undefined. */
export function shaded<T extends Pick<RoomChanges, 'changes'>>(changed: T, userId: string | undefined): T {
  if (!changed.changes.some(isShadowed)) return changed;
  const changes = changed.changes.map((change) =>
    change.kind === 'message' ? { ...change, message: seenBy(change.message, userId) } : change,
  );
  return { ...changed, changes };
}

/**
 * A message as this user sees it. One that is in the shadow looks to its sender as any other, and to all others, those who govern
 * the room included, as one that was deleted then, which is mostly the moment at which it was sent.
 */
export function seenBy(message: Message, userId: string | undefined): Message {
  if (message.shadowedAt === undefined) return message;
  if (message.sender.id === userId) {
    const { shadowedAt: _, ...shown } = message;
    return shown;
  }
  const { roomId, seq, rev, sender, clientMsgId, createdAt, shadowedAt, threadRoot, mentions } = message;
  const tombstone: Message = { roomId, seq, rev, sender, clientMsgId, text: '', createdAt, deletedAt: shadowedAt };
  if (threadRoot !== undefined) tombstone.threadRoot = threadRoot;
  // Where it was seen first: whose count of them falls by it.
  if (mentions !== undefined && shadowedAt !== createdAt) tombstone.mentions = mentions;
  return tombstone;
}

function isShadowed(change: Change): change is Change & { kind: 'message' } {
  return change.kind === 'message' && change.message.shadowedAt !== undefined;
}
