import { useCallback, useEffect, useRef, useState } from 'react';
import type { Member } from '../../../sdk/index.js';
import { Avatar } from '../avatar.js';
import { CloseIcon } from '../icons.js';
import { useChat, useRoom } from '../use-chat.js';
import { inWords } from '../words.js';

interface MemberPanelProps {
  roomId: string;
  onLeave: () => void;
  onClose: () => void;
}

export function MemberPanel({ roomId, onLeave, onClose }: MemberPanelProps) {
  const chat = useChat();
  const state = useRoom(roomId);
  const { more, loading, error } = useMemberPages(roomId, chat.resets(roomId));
  const close = useRef<HTMLButtonElement>(null);
  useEffect(() => close.current?.focus(), []);
  if (!state) return null;
  const present = [...state.members.values()].filter(({ leftAt }) => leftAt === null).sort(inOrder);
  return (
    <aside
      className="panel"
      aria-labelledby="panel-title"
      onKeyDown={(event) => {
        if (event.key === 'Escape') onClose();
      }}
    >
      <header className="panel-head">
        <h2 id="panel-title">
          Members <span className="panel-count">{state.memberCount.toLocaleString()}</span>
        </h2>
        <button
          ref={close}
          className="icon-button"
          type="button"
          onClick={onClose}
          aria-label="Close the list of members"
        >
          <CloseIcon />
        </button>
      </header>
      <ul className="member-list" aria-busy={loading}>
        {present.map(({ user, role }) => (
          <li key={user.id}>
            <Avatar user={user} small />
            <span className="member-name">
              <bdi>{user.name}</bdi>
              {user.id === chat.me.id && <span className="member-you"> you</span>}
            </span>
            {role === 'owner' && <span className="member-role">owner</span>}
          </li>
        ))}
      </ul>
      {error && <p className="list-hint">{error}</p>}
      {more && (
        <button className="button quiet wide" type="button" onClick={more} disabled={loading}>
          Show more
        </button>
      )}
      <footer className="panel-foot">
        <button className="button danger quiet" type="button" onClick={onLeave}>
          Leave room
        </button>
      </footer>
    </aside>
  );
}

/** Loads the first page, and again when the room was replaced; the SDK merges what comes into the room's state. */
function useMemberPages(roomId: string, resets: number) {
  const { parley } = useChat();
  const [cursor, setCursor] = useState<string | null>(null);
  const [loading, setLoading] = useState(true);
  const [error, setError] = useState<string>();
  const load = useCallback(
    async (from?: string) => {
      setLoading(true);
      try {
        const page = await parley.listMembers({ roomId, cursor: from, limit: 100 });
        setCursor(page.nextCursor);
        setError(undefined);
      } catch (failure) {
        setError(inWords(failure));
      }
      setLoading(false);
    },
    [parley, roomId],
  );
  useEffect(() => void load(), [load, resets]);
  return { loading, error, more: cursor === null ? undefined : () => void load(cursor) };
}

function inOrder(one: Member, other: Member): number {
  if (one.role !== other.role) return one.role === 'owner' ? -1 : 1;
  return one.user.name.localeCompare(other.user.name);
}
