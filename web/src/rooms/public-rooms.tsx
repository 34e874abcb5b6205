import { useState } from 'react';
import type { RoomSummary } from '../../../sdk/index.js';
import { useSay } from '../notice.js';
import { openRoom } from '../route.js';
import { useChat } from '../use-chat.js';
import { count, inWords } from '../words.js';
import { usePublicRooms } from './use-public-rooms.js';

/** The public rooms that I am not in. */
export function PublicRooms({ query, onStartRoom }: { query: string; onStartRoom: () => void }) {
  const { parley } = useChat();
  const { rooms, loading, error, more } = usePublicRooms(query);
  const others = rooms.filter(({ id }) => !parley.rooms.has(id));
  return (
    <section aria-labelledby="public-rooms" aria-busy={loading}>
      <h2 id="public-rooms">Public rooms</h2>
      {error && <p className="list-hint">{error}</p>}
      {others.length > 0 && (
        <ul className="room-list">
          {others.map((room) => (
            <PublicRoom key={room.id} room={room} />
          ))}
        </ul>
      )}
      {others.length === 0 && !loading && !error && !more && (
        <div className="list-hint" role="status">
          {query.trim() === '' ? (
            <p>There is no other public room at the moment.</p>
          ) : (
            <p>
              No other public room has “<bdi>{query.trim()}</bdi>” in its name.
            </p>
          )}
          <button className="button" type="button" onClick={onStartRoom}>
            Start a room
          </button>
        </div>
      )}
      {more && (
        <button className="button quiet wide" type="button" onClick={more}>
          More rooms
        </button>
      )}
    </section>
  );
}

function PublicRoom({ room }: { room: RoomSummary }) {
  const { parley } = useChat();
  const say = useSay();
  const [busy, setBusy] = useState(false);

  const join = async () => {
    setBusy(true);
    say(undefined);
    try {
      await parley.joinRoom(room.id);
      openRoom(room.id);
    } catch (failure) {
      say(inWords(failure));
      setBusy(false);
    }
  };
  return (
    <li className="public-room">
      <span className="room-name">
        <bdi>{room.name}</bdi>
      </span>
      <span className="room-preview">
        {count(room.memberCount, 'member')}
        {room.topic && (
          <>
            {' · '}
            <bdi>{room.topic}</bdi>
          </>
        )}
      </span>
      <button
        className="button"
        type="button"
        onClick={() => void join()}
        disabled={busy}
        aria-label={`Join ${room.name}`}
      >
        {busy ? 'Joining…' : 'Join'}
      </button>
    </li>
  );
}
