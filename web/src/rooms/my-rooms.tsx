import type { RoomState } from '../../../sdk/index.js';
import { roomHref } from '../route.js';
import { briefTime } from '../time.js';
import { count } from '../words.js';
import { roomName } from './room-name.js';
import { useChat, useChatVersion } from '../use-chat.js';

/** The rooms I am in, the one that moved last first. */
export function MyRooms({ query, openId }: { query: string; openId: string | undefined }) {
  const chat = useChat();
  useChatVersion();
  const wanted = query.trim().toLowerCase();
  const rooms = [...chat.parley.rooms.values()]
    .filter((state) => roomName(state).toLowerCase().includes(wanted))
    .sort((one, other) => movedAt(other) - movedAt(one));
  if (rooms.length === 0) {
    return wanted === '' && chat.wasOnline ? <p className="list-hint">You are in no room yet.</p> : null;
  }
  return (
    <section aria-labelledby="my-rooms">
      <h2 id="my-rooms">Your rooms</h2>
      <ul className="room-list">
        {rooms.map((state) => (
          <MyRoom
            key={state.room.id}
            state={state}
            unread={chat.unread(state.room.id)}
            mentions={chat.mentions(state.room.id)}
            open={state.room.id === openId}
          />
        ))}
      </ul>
    </section>
  );
}

interface MyRoomProps {
  state: RoomState;
  unread: number;
  mentions: number;
  open: boolean;
}

function MyRoom({ state, unread, mentions, open }: MyRoomProps) {
  const { me } = useChat();
  const { room, messages, outgoing } = state;
  const last = messages.at(-1);
  const pending = outgoing.at(-1);
  const preview = pending
    ? { by: 'You', text: pending.text }
    : last && {
        by: last.sender.id === me.id ? 'You' : last.sender.name,
        text: last.deletedAt === null ? last.text : 'Message deleted',
      };
  return (
    <li>
      <a className="room-item" href={roomHref(room.id)} aria-current={open ? 'page' : undefined}>
        <span className="room-name">
          <bdi>{roomName(state)}</bdi>
        </span>
        <span className="room-time">{last && briefTime(new Date(last.createdAt))}</span>
        <span className="room-preview">
          {preview ? (
            <bdi>
              {preview.by}: {preview.text.slice(0, 120)}
            </bdi>
          ) : (
            'Nothing here yet'
          )}
        </span>
        {unread > 0 && (
          <span className={mentions > 0 ? 'badge mentioned' : 'badge'}>
            {mentions > 0 && <span aria-hidden="true">@ </span>}
            {unread > 99 ? '99+' : unread}
            <span className="unseen">
              {' unread'}
              {mentions > 0 && `, ${count(mentions, 'mention')} of you`}
            </span>
          </span>
        )}
      </a>
    </li>
  );
}

/** A room that I have just joined stands above those that are quiet. */
function movedAt({ member, messages }: RoomState): number {
  return Math.max(Date.parse(member.joinedAt), Date.parse(messages.at(-1)?.createdAt ?? member.joinedAt));
}
