import { useEffect } from 'react';
import { limits } from '../../../src/protocol/limits.js';
import { useChat, useRoom } from '../use-chat.js';
import { listing } from '../words.js';

/** In a small room: who has read what I said last. */
export function SeenBy({ roomId }: { roomId: string }) {
  const { parley, me } = useChat();
  const state = useRoom(roomId);
  const small = state !== undefined && state.memberCount <= limits.receiptMembers;
  useEffect(() => {
    // What comes later is told; without what was before, less is shown.
    if (small) parley.readReceipts(roomId).catch(() => undefined);
  }, [parley, roomId, small]);
  const last = state?.messages.at(-1);
  if (!small || last?.sender.id !== me.id) return null;
  const names = [...state.reads]
    .filter(([userId, readSeq]) => userId !== me.id && readSeq >= last.seq)
    .flatMap(([userId]) => state.members.get(userId)?.user.name ?? []);
  return names.length === 0 ? null : (
    <p className="seen-by">
      Seen by <bdi>{listing(names)}</bdi>
    </p>
  );
}
