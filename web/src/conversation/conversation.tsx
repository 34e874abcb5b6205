import { useEffect, useRef, useState } from 'react';
import { Confirm } from '../dialog.js';
import { BackIcon, PeopleIcon } from '../icons.js';
import { useSay } from '../notice.js';
import { closeRoom } from '../route.js';
import { useChat, useRoom } from '../use-chat.js';
import { count, inWords } from '../words.js';
import { Announcer } from './announcer.js';
import { Composer } from './composer.js';
import { MemberPanel } from './member-panel.js';
import { Timeline } from './timeline.js';

export function Conversation({ roomId }: { roomId: string }) {
  const { parley } = useChat();
  const state = useRoom(roomId);
  const say = useSay();
  const [panel, setPanel] = useState(false);
  const [leaving, setLeaving] = useState(false);
  const title = useRef<HTMLHeadingElement>(null);
  const peopleButton = useRef<HTMLButtonElement>(null);

  // Where a keyboard on the screen would cover the room, the heading takes the focus instead of the field.
  useEffect(() => {
    if (matchMedia('(pointer: coarse)').matches) title.current?.focus({ preventScroll: true });
  }, []);

  const leave = async () => {
    setLeaving(false);
    say(undefined);
    try {
      await parley.leaveRoom(roomId);
      closeRoom(roomId);
    } catch (failure) {
      say(inWords(failure));
    }
  };

  if (!state) return null;
  const { room, memberCount } = state;
  return (
    <div className="conversation-and-panel">
      <main className="conversation" aria-labelledby="room-title">
        <header className="room-head">
          <button
            className="icon-button back"
            type="button"
            onClick={() => closeRoom(roomId)}
            aria-label="Back to the rooms"
          >
            <BackIcon />
          </button>
          <div className="room-head-text">
            <h2 id="room-title" ref={title} tabIndex={-1}>
              <bdi>{room.name}</bdi>
            </h2>
            {room.topic && (
              <p>
                <bdi>{room.topic}</bdi>
              </p>
            )}
          </div>
          <button
            ref={peopleButton}
            className="button quiet"
            type="button"
            aria-expanded={panel}
            aria-label={count(memberCount, 'member')}
            onClick={() => setPanel(!panel)}
          >
            <PeopleIcon />
            {memberCount.toLocaleString()}
          </button>
        </header>
        <Timeline roomId={roomId} />
        <Announcer roomId={roomId} />
        {room.archivedAt === null ? (
          <Composer roomId={roomId} roomName={room.name} />
        ) : (
          <p className="composer-closed">This room is archived: it can be read, but not written to.</p>
        )}
      </main>
      {panel && (
        <MemberPanel
          roomId={roomId}
          onLeave={() => setLeaving(true)}
          onClose={() => {
            setPanel(false);
            peopleButton.current?.focus();
          }}
        />
      )}
      {leaving && (
        <Confirm
          title="Leave this room?"
          text={
            <>
              <bdi>{room.name}</bdi> disappears from your rooms.{' '}
              {room.visibility === 'public' ? 'You can join again at any time.' : 'Only a member can let you in again.'}
            </>
          }
          action="Leave room"
          onConfirm={() => void leave()}
          onClose={() => setLeaving(false)}
        />
      )}
    </div>
  );
}
