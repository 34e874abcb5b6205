import { useCallback, useEffect, useState } from 'react';
import { limits } from '../../../src/protocol/limits.js';
import type { Member, PresenceStatus } from '../../../sdk/index.js';
import { Avatar } from '../avatar.js';
import { Panel } from '../panel.js';
import { useChat, useChatVersion, useRoom } from '../use-chat.js';
import { inWords } from '../words.js';
import { MemberActions } from './member-actions.js';

const presenceWords: Record<PresenceStatus, string> = {
  online: 'online',
  away: 'away',
  dnd: 'do not disturb',
  offline: 'offline',
};

interface MemberPanelProps {
  roomId: string;
  onLeave: () => void;
  onClose: () => void;
}

export function MemberPanel({ roomId, onLeave, onClose }: MemberPanelProps) {
  const chat = useChat();
  const state = useRoom(roomId);
  const { more, loading, error } = useMemberPages(roomId, chat.resets(roomId));
  const present = [...(state?.members.values() ?? [])].filter(({ leftAt }) => leftAt === null).sort(inOrder);
  useWatched(present.slice(0, limits.presenceWatched).map(({ user }) => user.id));
  useCounted(roomId);
  if (!state) return null;
  const online = chat.parley.online.get(roomId);
  return (
    <Panel
      title={
        <>
          Members <span className="panel-count">{state.memberCount.toLocaleString()}</span>
          {online !== undefined && <span className="panel-count">, {online.toLocaleString()} online</span>}
        </>
      }
      closeLabel="Close the list of members"
      onClose={onClose}
    >
      <ul className="member-list" aria-busy={loading}>
        {present.map((member) => (
          <li key={member.user.id}>
            <Avatar user={member.user} small />
            <PresenceDot status={chat.parley.presence.get(member.user.id)} />
            <span className="member-name">
              <bdi>{member.user.name}</bdi>
              {member.user.id === chat.me.id && <span className="member-you"> you</span>}
            </span>
            {isMuted(member) && <span className="member-role">muted</span>}
            {member.role !== 'member' && <span className="member-role">{member.role}</span>}
            {member.user.id !== chat.me.id && <MemberActions state={state} member={member} />}
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
    </Panel>
  );
}

function PresenceDot({ status = 'offline' }: { status?: PresenceStatus }) {
  return (
    <span className={`presence-dot ${status}`} title={presenceWords[status]}>
      <span className="unseen">{presenceWords[status]}</span>
    </span>
  );
}

function useCounted(roomId: string) {
  const { parley } = useChat();
  useEffect(() => {
    parley.countOnline(roomId, true);
    return () => parley.countOnline(roomId, false);
  }, [parley, roomId]);
}

/** Follows who of these is there, for as long as the list stands. */
function useWatched(userIds: readonly string[]) {
  const { parley } = useChat();
  useChatVersion();
  const all = userIds.join();
  useEffect(() => {
    const watched = all === '' ? [] : all.split(',');
    parley.watchPresence(watched);
    return () => parley.unwatchPresence(watched);
  }, [parley, all]);
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

const isMuted = ({ mutedUntil }: Member): boolean => mutedUntil !== null && Date.parse(mutedUntil) > Date.now();

const ranks: readonly Member['role'][] = ['owner', 'moderator', 'member', 'reader'];

function inOrder(one: Member, other: Member): number {
  return ranks.indexOf(one.role) - ranks.indexOf(other.role) || one.user.name.localeCompare(other.user.name);
}
