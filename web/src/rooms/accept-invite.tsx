import { useEffect, useState } from 'react';
import { forgetAddress, openRoom } from '../route.js';
import { useChat } from '../use-chat.js';
import { inWords } from '../words.js';

/** The address is an invite: whoever opens it comes in. */
export function AcceptInvite({ code }: { code: string }) {
  const { parley } = useChat();
  const [error, setError] = useState<string>();
  useEffect(() => {
    let gone = false;
    parley
      .acceptInvite(code)
      .then(({ room }) => gone || openRoom(room.id))
      .catch((failure: unknown) => gone || setError(inWords(failure)));
    return () => {
      gone = true;
    };
  }, [parley, code]);
  return (
    <main className="blank" aria-busy={error === undefined}>
      {error !== undefined && (
        <>
          <h2>This invite does not work</h2>
          <p>{error}</p>
          <div className="blank-actions">
            <button className="button" type="button" onClick={forgetAddress}>
              To the rooms
            </button>
          </div>
        </>
      )}
    </main>
  );
}
