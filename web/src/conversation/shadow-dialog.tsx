import { useState, type SyntheticEvent } from 'react';
import type { User } from '../../../sdk/index.js';
import { Dialog } from '../dialog.js';
import { useChat } from '../use-chat.js';
import { useDeed } from '../use-deed.js';

/** None: ends it. */
const lengths: [hours: number, word: string][] = [
  [24, 'A day'],
  [24 * 7, 'A week'],
  [24 * 365, 'A year'],
  [0, 'Not any more'],
];

/** Nobody is told who is muted so, so that it cannot be offered to end it only where it holds. */
export function ShadowDialog({ roomId, user, onClose }: { roomId: string; user: User; onClose: () => void }) {
  const { parley } = useChat();
  const deed = useDeed();
  const [hours, setHours] = useState(24);
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    const until = hours === 0 ? null : new Date(Date.now() + hours * 3_600_000).toISOString();
    void deed(() => parley.moderation.shadow(roomId, user.id, until));
    onClose();
  };
  return (
    <Dialog title={`Mute ${user.name} without telling?`} onClose={onClose}>
      <form onSubmit={submit}>
        <p>They go on writing, and nobody else sees it. Those who govern can read it.</p>
        <label htmlFor="shadow-length">How long</label>
        <select
          id="shadow-length"
          className="field"
          value={hours}
          onChange={(event) => setHours(Number(event.target.value))}
        >
          {lengths.map(([length, word]) => (
            <option key={length} value={length}>
              {word}
            </option>
          ))}
        </select>
        <div className="dialog-actions">
          <button className="button" type="button" onClick={onClose} autoFocus>
            Cancel
          </button>
          <button className="button danger" type="submit">
            Mute
          </button>
        </div>
      </form>
    </Dialog>
  );
}
