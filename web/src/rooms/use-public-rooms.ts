import { useCallback, useEffect, useRef, useState } from 'react';
import type { RoomSummary } from '../../../sdk/index.js';
import { useChat, useChatVersion } from '../use-chat.js';
import { inWords } from '../words.js';

const typingPauseMs = 250;
const refreshMs = 30_000;

interface PublicRooms {
  rooms: readonly RoomSummary[];
  /** The first page has not come yet. */
  loading: boolean;
  error: string | undefined;
  /** Undefined when there are no more. */
  more: (() => void) | undefined;
}

/**
 * The public rooms whose name has the query in it. The server does not announce new ones: they are asked for again when
 * the window gets the focus, when my own rooms change, and from time to time.
 */
export function usePublicRooms(query: string): PublicRooms {
  const { parley } = useChat();
  useChatVersion();
  const [rooms, setRooms] = useState<readonly RoomSummary[]>([]);
  const [cursor, setCursor] = useState<string | null>(null);
  const [loading, setLoading] = useState(true);
  const [error, setError] = useState<string>();
  const latest = useRef(0);
  const extended = useRef(false);
  const online = parley.status === 'online';
  const mine = parley.rooms.size;

  const load = useCallback(
    async (from?: string) => {
      const turn = ++latest.current;
      extended.current = from !== undefined;
      try {
        const page = await parley.discoverRooms({ query: query.trim() || undefined, cursor: from });
        if (turn !== latest.current) return;
        setRooms((before) => (from === undefined ? page.items : [...before, ...page.items]));
        setCursor(page.nextCursor);
        setError(undefined);
      } catch (failure) {
        if (turn === latest.current) setError(inWords(failure));
      }
      if (turn === latest.current) setLoading(false);
    },
    [parley, query],
  );

  useEffect(() => {
    if (!online) return;
    const first = setTimeout(() => void load(), query === '' ? 0 : typingPauseMs);
    const refresh = () => {
      // A list that was extended would shrink under the reader's eyes.
      if (document.visibilityState === 'visible' && !extended.current) void load();
    };
    const timer = setInterval(refresh, refreshMs);
    addEventListener('focus', refresh);
    document.addEventListener('visibilitychange', refresh);
    return () => {
      clearTimeout(first);
      clearInterval(timer);
      removeEventListener('focus', refresh);
      document.removeEventListener('visibilitychange', refresh);
    };
  }, [online, load, mine, query]);

  return { rooms, loading, error, more: cursor === null ? undefined : () => void load(cursor) };
}
