import { useEffect, useReducer } from 'react';
import { may, type Message, type RoomState } from '../../../sdk/index.js';
import { roomName } from '../rooms/room-name.js';
import { exactTime } from '../time.js';
import { count } from '../words.js';
import { Composer } from './composer.js';
import { useSlowMode } from './use-slow-mode.js';

interface ComposerPlaceProps {
  state: RoomState;
  answers: Message | undefined;
  onAnswered: () => void;
}

/** The field to write in, or why there is none. */
export function ComposerPlace({ state, answers, onAnswered }: ComposerPlaceProps) {
  const { room, member } = state;
  const [, look] = useReducer((turn: number) => turn + 1, 0);
  const waitS = useSlowMode(state);
  const mutedUntil = member.mutedUntil === null ? 0 : Date.parse(member.mutedUntil);
  useEffect(() => {
    const left = mutedUntil - Date.now();
    // What is further away than a timer reaches is looked at when the room is opened anew.
    if (left <= 0 || left > 2 ** 31 - 1) return;
    const timer = setTimeout(look, left + 100);
    return () => clearTimeout(timer);
  }, [mutedUntil]);
  const closed = reason(state, mutedUntil);
  if (closed !== undefined) return <p className="composer-closed">{closed}</p>;
  return (
    <>
      {room.slowModeS > 0 && !may(member.role, 'message:hurry') && (
        <p className="composer-note">
          Slow mode: one message every {inTime(room.slowModeS)}.
          {waitS > 0 && ` You can write again in ${inTime(waitS)}.`}
        </p>
      )}
      <Composer roomId={room.id} label={`Message to ${roomName(state)}`} answers={answers} onAnswered={onAnswered} />
    </>
  );
}

function reason({ room, member }: RoomState, mutedUntil: number): string | undefined {
  if (room.archivedAt !== null) return 'This room is archived: it can be read, but not written to.';
  if (!may(member.role, 'message:send')) return 'You may read here, but not write.';
  if (mutedUntil > Date.now()) return `You are muted until ${exactTime(new Date(mutedUntil))}.`;
  if (room.readOnly && !may(member.role, 'message:announce'))
    return 'This room is for announcements: only those who govern it write here.';
  return undefined;
}

function inTime(seconds: number): string {
  if (seconds < 120) return count(seconds, 'second');
  return seconds < 7_200 ? `${Math.round(seconds / 60)} minutes` : `${Math.round(seconds / 3_600)} hours`;
}
