import { useState, type SyntheticEvent } from 'react';
import { limits } from '../../../src/protocol/limits.js';
import { may, type Room, type RoomState } from '../../../sdk/index.js';
import { useChat } from '../use-chat.js';
import { inWords } from '../words.js';

const slowModes: [seconds: number, word: string][] = [
  [0, 'Off'],
  [5, '5 seconds'],
  [30, '30 seconds'],
  [60, 'a minute'],
  [600, '10 minutes'],
  [3_600, 'an hour'],
];

type Settings = Pick<
  Room,
  'name' | 'topic' | 'visibility' | 'readOnly' | 'slowModeS' | 'joinRequests' | 'historyVisible' | 'memberLimit'
>;

/** What the room is. Only what was changed is asked for. */
export function SettingsForm({ state, onDone }: { state: RoomState; onDone: () => void }) {
  const { parley } = useChat();
  const { room, member } = state;
  const [wanted, setWanted] = useState<Partial<Settings>>({});
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string>();
  const now: Settings = { ...room, ...wanted };
  const governs = may(member.role, 'room:govern');
  const set = (change: Partial<Settings>) => setWanted((before) => ({ ...before, ...change }));
  const slow = slowModes.some(([seconds]) => seconds === now.slowModeS)
    ? slowModes
    : [...slowModes, [now.slowModeS, `${now.slowModeS} seconds`] as const];

  const save = async () => {
    setBusy(true);
    setError(undefined);
    try {
      const changed = Object.entries(wanted).filter(([key, value]) => value !== room[key as keyof Settings]);
      if (changed.length > 0)
        await parley.updateRoom({ roomId: room.id, ...(Object.fromEntries(changed) as Partial<Settings>) });
      onDone();
    } catch (failure) {
      setError(inWords(failure));
      setBusy(false);
    }
  };
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (now.name.trim() !== '' && !busy) void save();
  };

  return (
    <form className="settings" onSubmit={submit}>
      <label htmlFor="settings-name">Name</label>
      <input
        id="settings-name"
        className="field"
        value={now.name}
        maxLength={limits.roomNameLength}
        autoComplete="off"
        required
        onChange={(event) => set({ name: event.target.value })}
      />
      <label htmlFor="settings-topic">Topic</label>
      <input
        id="settings-topic"
        className="field"
        value={now.topic}
        maxLength={limits.topicLength}
        autoComplete="off"
        onChange={(event) => set({ topic: event.target.value })}
      />
      <label htmlFor="settings-slow">Slow mode</label>
      <select
        id="settings-slow"
        className="field"
        value={now.slowModeS}
        onChange={(event) => set({ slowModeS: Number(event.target.value) })}
      >
        {slow.map(([seconds, word]) => (
          <option key={seconds} value={seconds}>
            {seconds === 0 ? word : `One message every ${word}`}
          </option>
        ))}
      </select>
      <Check
        label="Others may ask to join, where the room is private"
        on={now.joinRequests}
        onChange={(joinRequests) => set({ joinRequests })}
      />
      <fieldset disabled={!governs}>
        {!governs && <p className="field-hint">Only owners change these:</p>}
        <label htmlFor="settings-visibility">Who finds the room</label>
        <select
          id="settings-visibility"
          className="field"
          value={now.visibility}
          onChange={(event) => set({ visibility: event.target.value as Room['visibility'] })}
        >
          <option value="public">Everyone finds it and joins</option>
          <option value="private">Who is added or invited</option>
        </select>
        <label htmlFor="settings-history">What new members see</label>
        <select
          id="settings-history"
          className="field"
          value={now.historyVisible}
          onChange={(event) => set({ historyVisible: event.target.value as Room['historyVisible'] })}
        >
          <option value="all">All that was said before</option>
          <option value="joined">What is said from then on</option>
        </select>
        <label htmlFor="settings-limit">
          Most members <span className="optional">empty for any number</span>
        </label>
        <input
          id="settings-limit"
          className="field"
          type="number"
          min={1}
          max={limits.membersPerRoom}
          value={now.memberLimit ?? ''}
          onChange={(event) => set({ memberLimit: event.target.value === '' ? null : Number(event.target.value) })}
        />
        <Check
          label="Announcements: only owners and moderators write"
          on={now.readOnly}
          onChange={(readOnly) => set({ readOnly })}
        />
      </fieldset>
      {error && (
        <p className="field-error" role="alert">
          {error}
        </p>
      )}
      <div className="dialog-actions">
        <button className="button primary" type="submit" disabled={busy || now.name.trim() === ''}>
          {busy ? 'Saving…' : 'Save'}
        </button>
      </div>
    </form>
  );
}

function Check({ label, on, onChange }: { label: string; on: boolean; onChange: (on: boolean) => void }) {
  return (
    <label className="check">
      <input type="checkbox" checked={on} onChange={(event) => onChange(event.target.checked)} />
      {label}
    </label>
  );
}
