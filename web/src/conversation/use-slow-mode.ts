import { useEffect, useReducer } from 'react';
import { may, type RoomState } from '../../../sdk/index.js';

/** How far the server's clock may be ahead of ours, in ms: where it is more, it is left to the server to say when one may write. */
const CLOCKS_APART = 5_000;

/** Seconds until I may write again in a room with slow mode; 0 where I may now. Renders again each second until then. */
export function useSlowMode(state: RoomState | undefined): number {
  const [, look] = useReducer((turn: number) => turn + 1, 0);
  const left = state === undefined ? 0 : secondsLeft(state);
  useEffect(() => {
    if (left === 0) return;
    const timer = setTimeout(look, 1_000);
    return () => clearTimeout(timer);
  });
  return left;
}

function secondsLeft({ room, member, messages }: RoomState): number {
  if (room.slowModeS === 0 || may(member.role, 'message:hurry')) return 0;
  const last = messages.findLast(({ sender }) => sender.id === member.user.id);
  const since = last === undefined ? NaN : Date.now() - Date.parse(last.createdAt);
  if (!(since >= -CLOCKS_APART)) return 0;
  return Math.max(0, Math.ceil(room.slowModeS - Math.max(0, since) / 1_000));
}
