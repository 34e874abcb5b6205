import { useCallback, useState } from 'react';
import type { GuestSession, ParleyError } from '../../sdk/index.js';
import { endSession, lastName, storedSession, storeSession } from './session.js';
import { Welcome } from './welcome.js';
import { inWords } from './words.js';
import { Workspace } from './workspace.js';

export function App() {
  const [session, setSession] = useState(storedSession);
  const [notice, setNotice] = useState<string>();

  const enter = (entered: GuestSession) => {
    storeSession(entered);
    setNotice(undefined);
    setSession(entered);
  };
  const end = useCallback((error?: ParleyError) => {
    // Any other reason is no fault of the token: entering again with it may work after a reload.
    if (!error || error.code === 'unauthenticated' || error.code === 'token_expired') endSession();
    setNotice(error && inWords(error));
    setSession(undefined);
  }, []);

  if (!session) return <Welcome name={lastName()} notice={notice} onEnter={enter} />;
  return <Workspace key={session.token} session={session} onEnd={end} />;
}
