import type { Outgoing } from '../../../sdk/index.js';
import { useChat } from '../use-chat.js';
import { inWords } from '../words.js';
import { Byline, rowClass } from './message-row.js';

/** A message of mine that is not stored yet. */
export function OutgoingRow({ outgoing, lead }: { outgoing: Outgoing; lead: boolean }) {
  const { me } = useChat();
  const { state, text, createdAt, error } = outgoing;
  return (
    <li className={`${rowClass(true, lead)} ${state}`}>
      <Byline sender={me} at={new Date(createdAt)} mine lead={lead} />
      <p className="bubble" dir="auto">
        {text}
      </p>
      {state === 'waiting' && <p className="fate">Waiting for the connection</p>}
      {state === 'sending' && <p className="fate late">Sending…</p>}
      {state === 'failed' && (
        <p className="fate failed" role="alert">
          <span>Not sent. {inWords(error)}</span>
          <span className="fate-actions">
            <button className="text-button" type="button" onClick={() => outgoing.retry()}>
              Try again
            </button>
            <button className="text-button" type="button" onClick={() => outgoing.discard()}>
              Discard
            </button>
          </span>
        </p>
      )}
    </li>
  );
}
