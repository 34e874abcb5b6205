import { useCallback } from 'react';
import { useSay } from './notice.js';
import { inWords } from './words.js';

/** Does something on the server, and tells the person in a sentence where it does not work. Resolves to whether it did. */
export function useDeed(): (deed: () => Promise<unknown>) => Promise<boolean> {
  const say = useSay();
  return useCallback(
    async (deed) => {
      say(undefined);
      try {
        await deed();
        return true;
      } catch (failure) {
        say(inWords(failure));
        return false;
      }
    },
    [say],
  );
}
