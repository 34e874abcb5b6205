import { useEffect, useMemo, useRef, useState } from 'react';
import { limits } from '../../../src/protocol/limits.js';
import type { Message, Parley } from '../../../sdk/index.js';
import { Confirm } from '../dialog.js';
import { closeRoom } from '../route.js';
import { RoomSettings } from '../rooms/room-settings.js';
import { useChat, useRoom } from '../use-chat.js';
import { useDeed } from '../use-deed.js';
import { Announcer } from './announcer.js';
import { ComposerPlace } from './composer-place.js';
import { MemberPanel } from './member-panel.js';
import { PinsPanel } from './pins-panel.js';
import { RoomHead, type Side } from './room-head.js';
import { TalkContext, type Talk } from './talk.js';
import { ThreadPanel } from './thread-panel.js';
import { Timeline } from './timeline.js';
import { TypingLine } from './typing-line.js';

export function Conversation({ roomId }: { roomId: string }) {
  const chat = useChat();
  const state = useRoom(roomId);
  const deed = useDeed();
  const [side, setSide] = useState<Side>();
  const [dialog, setDialog] = useState<'leave' | 'settings'>();
  const [answers, setAnswers] = useState<Message>();
  const opener = useRef<Element>(null);
  const frame = useRef<HTMLDivElement>(null);
  const talk = useMemo<Talk>(
    () => ({
      roomId,
      answer: setAnswers,
      openThread: (root) => setSide({ kind: 'thread', root }),
      jumpTo: (seq) => void deed(() => bringUp(chat.parley, roomId, seq)).then(() => jump(frame.current, seq)),
    }),
    [chat, deed, roomId],
  );
  useEffect(() => chat.open(roomId), [chat, roomId]);

  const leave = async () => {
    setDialog(undefined);
    if (await deed(() => chat.parley.leaveRoom(roomId))) closeRoom(roomId);
  };
  const show = (wanted: Side | undefined) => {
    opener.current = document.activeElement;
    setSide(wanted);
  };
  const closeSide = () => {
    setSide(undefined);
    if (opener.current instanceof HTMLElement) opener.current.focus();
  };

  if (!state) return null;
  const { room } = state;
  return (
    <TalkContext value={talk}>
      <div className="conversation-and-panel" ref={frame}>
        <main className="conversation" aria-labelledby="room-title">
          <RoomHead state={state} side={side} onSide={show} onSettings={() => setDialog('settings')} />
          <Timeline roomId={roomId} />
          <TypingLine roomId={roomId} />
          <Announcer roomId={roomId} />
          <ComposerPlace state={state} answers={answers} onAnswered={() => setAnswers(undefined)} />
        </main>
        {side?.kind === 'members' && (
          <MemberPanel roomId={roomId} onLeave={() => setDialog('leave')} onClose={closeSide} />
        )}
        {side?.kind === 'pins' && <PinsPanel roomId={roomId} onClose={closeSide} />}
        {side?.kind === 'thread' && (
          <ThreadPanel key={side.root} roomId={roomId} root={side.root} onClose={closeSide} />
        )}
        {dialog === 'settings' && <RoomSettings state={state} onClose={() => setDialog(undefined)} />}
        {dialog === 'leave' && (
          <Confirm
            title="Leave this room?"
            text={
              <>
                <bdi>{room.name}</bdi> disappears from your rooms.{' '}
                {room.visibility === 'public'
                  ? 'You can join again at any time.'
                  : 'Only a member can let you in again.'}
              </>
            }
            action="Leave room"
            onConfirm={() => void leave()}
            onClose={() => setDialog(undefined)}
          />
        )}
      </div>
    </TalkContext>
  );
}

/** Pages of history that are loaded to reach a message, at most. */
const reach = 20;

/** Loads what lies between the message and what is at hand. */
async function bringUp(parley: Parley, roomId: string, seq: number): Promise<void> {
  for (let i = 0; i < reach && (parley.rooms.get(roomId)?.messages[0]?.seq ?? 0) > seq; i++)
    if (!(await parley.loadOlder(roomId, limits.historyPage))) return;
  await new Promise((resolve) => requestAnimationFrame(resolve));
}

/** Where the message is not at hand all the same, nothing moves. */
function jump(frame: HTMLElement | null, seq: number): void {
  const row = frame?.querySelector<HTMLElement>(`.timeline [data-seq="${seq}"]`);
  if (!row) return;
  row.scrollIntoView({ block: 'center' });
  row.classList.add('jumped-to');
  setTimeout(() => row.classList.remove('jumped-to'), 2_000);
}
