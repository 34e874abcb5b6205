import { useEffect, useRef } from 'react';
import { may, type RoomState } from '../../../sdk/index.js';
import { BackIcon, PeopleIcon, PinIcon, SettingsIcon } from '../icons.js';
import { roomName } from '../rooms/room-name.js';
import { closeRoom } from '../route.js';
import { count } from '../words.js';

/** What stands beside the conversation. */
export type Side = { kind: 'members' } | { kind: 'pins' } | { kind: 'thread'; root: number };

interface RoomHeadProps {
  state: RoomState;
  side: Side | undefined;
  onSide: (side: Side | undefined) => void;
  onSettings: () => void;
}

export function RoomHead({ state, side, onSide, onSettings }: RoomHeadProps) {
  const { room, member, memberCount } = state;
  const title = useRef<HTMLHeadingElement>(null);
  // Where a keyboard on the screen would cover the room, the heading takes the focus instead of the field.
  useEffect(() => {
    if (matchMedia('(pointer: coarse)').matches) title.current?.focus({ preventScroll: true });
  }, []);
  const toggle = (kind: 'members' | 'pins') => onSide(side?.kind === kind ? undefined : { kind });
  return (
    <header className="room-head">
      <button
        className="icon-button back"
        type="button"
        onClick={() => closeRoom(room.id)}
        aria-label="Back to the rooms"
      >
        <BackIcon />
      </button>
      <div className="room-head-text">
        <h2 id="room-title" ref={title} tabIndex={-1}>
          <bdi>{roomName(state)}</bdi>
        </h2>
        {room.topic && (
          <p>
            <bdi>{room.topic}</bdi>
          </p>
        )}
      </div>
      {room.kind === 'group' && may(member.role, 'room:update') && (
        <button
          className="icon-button"
          type="button"
          aria-label="Settings of the room"
          title="Settings of the room"
          onClick={onSettings}
        >
          <SettingsIcon />
        </button>
      )}
      <button
        className="icon-button"
        type="button"
        aria-expanded={side?.kind === 'pins'}
        aria-label="Pinned messages"
        title="Pinned messages"
        onClick={() => toggle('pins')}
      >
        <PinIcon />
      </button>
      <button
        className="button quiet"
        type="button"
        aria-expanded={side?.kind === 'members'}
        aria-label={count(memberCount, 'member')}
        onClick={() => toggle('members')}
      >
        <PeopleIcon />
        {memberCount.toLocaleString()}
      </button>
    </header>
  );
}
