import { useCallback, useState } from 'react';
import type { ParleyError } from '../../sdk/index.js';
import { storedEntrance, type Entered } from './session.js';
import { Welcome } from './welcome.js';
import { inWords } from './words.js';
import { Workspace } from './workspace.js';

export function App() {
  const [entered, setEntered] = useState(storedEntrance);
  const [notice, setNotice] = useState<string>();

  const enter = (next: Entered) => {
    setNotice(undefined);
    setEntered(next);
  };
  const end = useCallback(
    (error?: ParleyError) => {
      const isOver = error?.code === 'unauthenticated' || error?.code === 'token_expired';
      // Any other reason is no fault of the token: entering again with it may work after a reload.
      if (!error || isOver) void entered?.forget(!error);
      const wasAccount = isOver && entered?.handle !== undefined;
      setNotice(wasAccount ? 'Your session has ended. Log in to carry on.' : error && inWords(error));
      setEntered(undefined);
    },
    [entered],
  );

  if (!entered) return <Welcome notice={notice} onEnter={enter} />;
  return <Workspace entered={entered} onEnd={end} />;
}
