import { useCallback, useEffect, useState } from 'react';
import type { Message } from '../../../sdk/index.js';
import { useChat } from '../use-chat.js';
import { inWords } from '../words.js';

interface Thread {
  /** The root and its replies by seq, as far as they are here. */
  messages: readonly Message[];
  hasBefore: boolean;
  loading: boolean;
  error: string | undefined;
  loadOlder: () => void;
}

/** The thread of a message: its newest page, what comes while it is open, and older pages when they are asked for. */
export function useThread(roomId: string, root: number, resets: number): Thread {
  const { parley } = useChat();
  const [known, setKnown] = useState<ReadonlyMap<number, Message>>(new Map());
  const [hasBefore, setHasBefore] = useState(false);
  const [loading, setLoading] = useState(true);
  const [error, setError] = useState<string>();

  const put = useCallback((messages: readonly Message[]) => {
    setKnown((before) => {
      const after = new Map(before);
      for (const message of messages)
        if (message.rev >= (after.get(message.seq)?.rev ?? 0)) after.set(message.seq, message);
      return after;
    });
  }, []);
  const load = useCallback(
    async (before?: number) => {
      setLoading(true);
      setError(undefined);
      try {
        const page = await parley.loadThread(roomId, root, before === undefined ? {} : { before });
        put(page.messages);
        setHasBefore(page.hasBefore);
        if (before === undefined) {
          const around = await parley.loadHistory(roomId, { around: root, limit: 1 });
          put(around.messages.filter(({ seq }) => seq === root));
        }
      } catch (failure) {
        setError(inWords(failure));
      }
      setLoading(false);
    },
    [parley, roomId, root, put],
  );
  useEffect(() => void load(), [load, resets]);
  useEffect(
    () =>
      parley.on('change', (changed, change) => {
        if (changed !== roomId || change.kind !== 'message') return;
        const { message } = change;
        if (message.seq === root || message.threadRoot === root) put([message]);
      }),
    [parley, roomId, root, put],
  );

  const messages = [...known.values()].sort((one, other) => one.seq - other.seq);
  const oldest = messages.find(({ seq }) => seq !== root)?.seq;
  return { messages, hasBefore, loading, error, loadOlder: () => void load(oldest) };
}
