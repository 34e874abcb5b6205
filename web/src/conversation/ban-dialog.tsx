import { useState, type SyntheticEvent } from 'react';
import { limits } from '../../../src/protocol/limits.js';
import type { User } from '../../../sdk/index.js';
import { Dialog } from '../dialog.js';
import { useChat } from '../use-chat.js';
import { inWords } from '../words.js';

const lengths: [hours: number, word: string][] = [
  [0, 'For good'],
  [24, 'A day'],
  [24 * 7, 'A week'],
];

export function BanDialog({ roomId, user, onClose }: { roomId: string; user: User; onClose: () => void }) {
  const { parley } = useChat();
  const [reason, setReason] = useState('');
  const [hours, setHours] = useState(0);
  const [purge, setPurge] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string>();
  const ban = async () => {
    setBusy(true);
    try {
      const until = hours === 0 ? {} : { until: new Date(Date.now() + hours * 3_600_000).toISOString() };
      await parley.moderation.ban(roomId, user.id, { reason: reason.trim(), ...until, ...(purge && { purge }) });
      onClose();
    } catch (failure) {
      setError(inWords(failure));
      setBusy(false);
    }
  };
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (!busy) void ban();
  };
  return (
    <Dialog title={`Ban ${user.name}?`} onClose={onClose}>
      <form onSubmit={submit}>
        <label htmlFor="ban-length">How long</label>
        <select
          id="ban-length"
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
        <label htmlFor="ban-reason">
          Reason <span className="optional">optional, for those who govern</span>
        </label>
        <input
          id="ban-reason"
          className="field"
          value={reason}
          maxLength={limits.reasonLength}
          autoComplete="off"
          onChange={(event) => setReason(event.target.value)}
        />
        <label className="check">
          <input type="checkbox" checked={purge} onChange={(event) => setPurge(event.target.checked)} />
          Delete all that they said here
        </label>
        {error && (
          <p className="field-error" role="alert">
            {error}
          </p>
        )}
        <div className="dialog-actions">
          <button className="button" type="button" onClick={onClose} autoFocus>
            Cancel
          </button>
          <button className="button danger" type="submit" disabled={busy}>
            Ban
          </button>
        </div>
      </form>
    </Dialog>
  );
}
