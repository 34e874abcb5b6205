import { useState, type SyntheticEvent } from 'react';
import { limits } from '../../../src/protocol/limits.js';
import { Dialog } from '../dialog.js';
import { useChat } from '../use-chat.js';
import { inWords } from '../words.js';

export function NewRoomDialog({ onClose, onCreated }: { onClose: () => void; onCreated: (roomId: string) => void }) {
  const { parley } = useChat();
  const [name, setName] = useState('');
  const [topic, setTopic] = useState('');
  const [hidden, setHidden] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string>();

  const create = async () => {
    setBusy(true);
    setError(undefined);
    try {
      const { room } = await parley.createRoom({
        name: name.trim(),
        topic: topic.trim(),
        visibility: hidden ? 'private' : 'public',
      });
      onCreated(room.id);
    } catch (failure) {
      setError(inWords(failure));
      setBusy(false);
    }
  };
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (name.trim() !== '' && !busy) void create();
  };

  return (
    <Dialog title="New room" onClose={onClose}>
      <form onSubmit={submit}>
        <label htmlFor="room-name">Name</label>
        <input
          id="room-name"
          className="field"
          value={name}
          onChange={(event) => setName(event.target.value)}
          maxLength={limits.roomNameLength}
          autoComplete="off"
          autoFocus
          required
        />
        <label htmlFor="room-topic">
          Topic <span className="optional">optional</span>
        </label>
        <input
          id="room-topic"
          className="field"
          value={topic}
          onChange={(event) => setTopic(event.target.value)}
          maxLength={limits.topicLength}
          autoComplete="off"
        />
        <label className="check">
          <input type="checkbox" checked={hidden} onChange={(event) => setHidden(event.target.checked)} />
          Private
        </label>
        <p className="field-hint">
          {hidden ? 'Only who is invited or let in sees the room.' : 'Everyone here can find the room and join it.'}
        </p>
        {error && (
          <p className="field-error" role="alert">
            {error}
          </p>
        )}
        <div className="dialog-actions">
          <button className="button" type="button" onClick={onClose}>
            Cancel
          </button>
          <button className="button primary" type="submit" disabled={name.trim() === '' || busy}>
            {!busy ? 'Create room' : parley.status === 'online' ? 'Creating…' : 'Waiting for the connection…'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
