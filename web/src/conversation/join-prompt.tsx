import { useState } from 'react';
import { BackIcon } from '../icons.js';
import { useSay } from '../notice.js';
import { closeRoom } from '../route.js';
import { useChat, useChatVersion } from '../use-chat.js';
import { inWords } from '../words.js';

/** The address names a room that I am not in. */
export function JoinPrompt({ roomId }: { roomId: string }) {
  const chat = useChat();
  const say = useSay();
  useChatVersion();
  const [busy, setBusy] = useState(false);
  const [asked, setAsked] = useState(false);
  if (!chat.wasOnline) return <main className="blank" aria-busy="true" />;

  const ask = async () => {
    setBusy(true);
    say(undefined);
    try {
      await chat.parley.requestToJoin(roomId);
      setAsked(true);
    } catch (failure) {
      say(inWords(failure));
    }
    setBusy(false);
  };
  const join = async () => {
    setBusy(true);
    say(undefined);
    try {
      await chat.parley.joinRoom(roomId);
    } catch (failure) {
      say(inWords(failure));
      setBusy(false);
    }
  };
  return (
    <main className="blank">
      <h2>You are not in this room</h2>
      {asked ? (
        <p role="status">Those who govern the room have your request. It opens here when they let you in.</p>
      ) : (
        <p>The link leads to a room that you have not joined yet, or have left.</p>
      )}
      <div className="blank-actions">
        <button className="button" type="button" onClick={() => closeRoom(roomId)}>
          <BackIcon />
          Back
        </button>
        <button className="button" type="button" onClick={() => void ask()} disabled={busy || asked}>
          Ask to be let in
        </button>
        <button className="button primary" type="button" onClick={() => void join()} disabled={busy}>
          {busy ? 'Joining…' : 'Join the room'}
        </button>
      </div>
    </main>
  );
}
