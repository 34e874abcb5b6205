import { useEffect, useState } from 'react';
import type { Message, MessageVersions } from '../../../sdk/index.js';
import { Dialog } from '../dialog.js';
import { exactTime } from '../time.js';
import { useChat } from '../use-chat.js';
import { inWords } from '../words.js';

/** What the message said before, or says to its sender alone, for those who govern the room. */
export function VersionsDialog({ message, onClose }: { message: Message; onClose: () => void }) {
  const { parley } = useChat();
  const [versions, setVersions] = useState<MessageVersions['versions']>();
  const [error, setError] = useState<string>();
  const { roomId, seq } = message;
  useEffect(() => {
    parley
      .messageVersions(roomId, seq)
      .then(setVersions)
      .catch((failure: unknown) => setError(inWords(failure)));
  }, [parley, roomId, seq]);
  return (
    <Dialog title={message.deletedAt === null ? 'Earlier versions' : 'What it says'} onClose={onClose}>
      {error && <p className="field-error">{error}</p>}
      <ol className="versions" aria-busy={!versions && !error}>
        {versions?.map(({ version, text, saidAt }) => (
          <li key={version}>
            <time dateTime={saidAt}>{exactTime(new Date(saidAt))}</time>
            <p dir="auto">{text}</p>
          </li>
        ))}
      </ol>
      <div className="dialog-actions">
        <button className="button" type="button" onClick={onClose} autoFocus>
          Close
        </button>
      </div>
    </Dialog>
  );
}
