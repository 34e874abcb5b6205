import { useCallback, useEffect, useState } from 'react';
import { inWords } from './words.js';

interface Page<T> {
  items: readonly T[];
  nextCursor: string | null;
}

/** A list that comes in pages: the first at once, the others when they are asked for. `ask` has to stay the same function. */
export function usePages<T>(ask: (cursor: string | undefined) => Promise<Page<T>>) {
  const [items, setItems] = useState<readonly T[]>([]);
  const [cursor, setCursor] = useState<string | null>(null);
  const [loading, setLoading] = useState(true);
  const [error, setError] = useState<string>();
  const load = useCallback(
    async (from?: string) => {
      setLoading(true);
      try {
        const page = await ask(from);
        setItems((before) => (from === undefined ? page.items : [...before, ...page.items]));
        setCursor(page.nextCursor);
        setError(undefined);
      } catch (failure) {
        setError(inWords(failure));
      }
      setLoading(false);
    },
    [ask],
  );
  useEffect(() => void load(), [load]);
  return {
    items,
    loading,
    error,
    reload: () => load(),
    more: cursor === null ? undefined : () => void load(cursor),
  };
}
