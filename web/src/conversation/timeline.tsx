import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { may, type RoomState } from '../../../sdk/index.js';
import { newestSeq } from '../chat.js';
import { DownIcon } from '../icons.js';
import { roomName } from '../rooms/room-name.js';
import { dayName } from '../time.js';
import { useChat, useRoom } from '../use-chat.js';
import { count, inWords } from '../words.js';
import { MessageRow } from './message-row.js';
import { NotesRow } from './notes-row.js';
import { OutgoingRow } from './outgoing-row.js';
import { rowsOf, type Row } from './rows.js';
import { SeenBy } from './seen-by.js';
import { useHeldScroll } from './use-held-scroll.js';

/** Older messages are asked for when so little is left above. */
const reachPx = 800;

export function Timeline({ roomId }: { roomId: string }) {
  const state = useRoom(roomId);
  return state && <Messages roomId={roomId} state={state} />;
}

function Messages({ roomId, state }: { roomId: string; state: RoomState }) {
  const chat = useChat();
  const { view, atEnd, toEnd, remember } = useHeldScroll();
  const older = useOlder(roomId);
  const { messages, outgoing, hasBefore } = state;
  const seen = useSeen(roomId, atEnd, newestSeq(state));
  const rows = rowsOf({
    messages,
    outgoing,
    notes: chat.notes(roomId),
    me: chat.me.id,
    governs: may(state.member.role, 'message:versions'),
    unreadAfter: seen.unreadAfter,
  });

  const reach = () => {
    const element = view.current;
    if (element && hasBefore && !older.busy && older.error === undefined && element.scrollTop < reachPx) older.load();
  };
  useLayoutEffect(reach);

  // Whoever sends wants to see it.
  const newestOwn = outgoing.at(-1)?.clientMsgId;
  const { clear } = seen;
  useLayoutEffect(() => {
    if (newestOwn === undefined) return;
    clear();
    toEnd();
  }, [newestOwn, toEnd, clear]);

  return (
    <div className="timeline-frame">
      <div
        ref={view}
        className="timeline"
        role="region"
        aria-label="Messages"
        tabIndex={0}
        onScroll={() => {
          remember();
          reach();
        }}
      >
        <div className="timeline-top">
          {hasBefore ? (
            <Older {...older} />
          ) : (
            <div className="beginning">
              <h3>
                <bdi>{roomName(state)}</bdi>
              </h3>
              <p>
                {messages.length > 0 ? 'This is where the room begins.' : 'Nothing has been said here yet. Say hello.'}
              </p>
            </div>
          )}
        </div>
        <ol className="messages">
          {rows.map((row) => (
            <TimelineRow key={row.key} row={row} me={chat.me.id} />
          ))}
        </ol>
        <SeenBy roomId={roomId} />
      </div>
      {!atEnd && (
        <button className="to-end" type="button" onClick={toEnd}>
          <DownIcon />
          {seen.unread > 0 ? count(seen.unread, 'new message') : 'To the newest'}
        </button>
      )}
    </div>
  );
}

function TimelineRow({ row, me }: { row: Row; me: string }) {
  switch (row.kind) {
    case 'day':
      return (
        <li className="day">
          <h3>{dayName(row.at)}</h3>
        </li>
      );
    case 'unread':
      return (
        <li className="unread-line">
          <span>New</span>
        </li>
      );
    case 'notes':
      return <NotesRow notes={row.notes} me={me} />;
    case 'message':
      return <MessageRow message={row.message} mine={row.message.sender.id === me} lead={row.lead} />;
    case 'outgoing':
      return <OutgoingRow outgoing={row.outgoing} lead={row.lead} />;
  }
}

function Older({ busy, error, load }: { busy: boolean; error: string | undefined; load: () => void }) {
  return (
    <>
      {error && <p className="list-hint">{error}</p>}
      <button className="button quiet" type="button" onClick={load} disabled={busy}>
        {busy ? 'Loading earlier messages…' : 'Show earlier messages'}
      </button>
    </>
  );
}

function useOlder(roomId: string) {
  const { parley } = useChat();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string>();
  const going = useRef(false);
  const load = useCallback(() => {
    if (going.current) return;
    going.current = true;
    setBusy(true);
    setError(undefined);
    parley
      .loadOlder(roomId)
      .catch((failure: unknown) => setError(inWords(failure)))
      .finally(() => {
        going.current = false;
        setBusy(false);
      });
  }, [parley, roomId]);
  return { busy, error, load };
}

/** Marks the room as read while its end is in view, and remembers where the unread part began. */
function useSeen(roomId: string, atEnd: boolean, newest: number) {
  const chat = useChat();
  const [unreadAfter, setUnreadAfter] = useState(() => (chat.unread(roomId) > 0 ? chat.readMark(roomId) : undefined));
  const clear = useCallback(() => setUnreadAfter(undefined), []);
  useEffect(() => {
    const look = () => {
      if (document.visibilityState === 'hidden') setUnreadAfter(chat.readMark(roomId));
      else if (atEnd) chat.read(roomId);
    };
    look();
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }, [chat, roomId, atEnd, newest]);
  return { unreadAfter, unread: chat.unread(roomId), clear };
}
