import { useState, type SyntheticEvent } from 'react';
import { limits } from '../../../src/protocol/limits.js';
import type { Message, ReportReason } from '../../../sdk/index.js';
import { Dialog } from '../dialog.js';
import { useChat } from '../use-chat.js';
import { inWords } from '../words.js';

export const reasonWords: Record<ReportReason, string> = {
  spam: 'Spam',
  harassment: 'Harassment',
  hate: 'Hate',
  violence: 'Violence',
  sexual: 'Sexual content',
  self_harm: 'Self-harm',
  illegal: 'Illegal',
  other: 'Something else',
};

/** Tells those who govern the room that a message is not right. Nobody else learns who said so. */
export function ReportDialog({ message, onClose }: { message: Message; onClose: () => void }) {
  const { parley } = useChat();
  const [reason, setReason] = useState<ReportReason>('spam');
  const [text, setText] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string>();
  const report = async () => {
    setBusy(true);
    try {
      await parley.moderation.report({ roomId: message.roomId, seq: message.seq, reason, text: text.trim() });
      onClose();
    } catch (failure) {
      setError(inWords(failure));
      setBusy(false);
    }
  };
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (!busy) void report();
  };
  return (
    <Dialog title="Report this message" onClose={onClose}>
      <form onSubmit={submit}>
        <label htmlFor="report-reason">What is wrong with it</label>
        <select
          id="report-reason"
          className="field"
          value={reason}
          onChange={(event) => setReason(event.target.value as ReportReason)}
        >
          {Object.entries(reasonWords).map(([value, word]) => (
            <option key={value} value={value}>
              {word}
            </option>
          ))}
        </select>
        <label htmlFor="report-text">
          In your words <span className="optional">optional</span>
        </label>
        <input
          id="report-text"
          className="field"
          value={text}
          maxLength={limits.reasonLength}
          autoComplete="off"
          onChange={(event) => setText(event.target.value)}
        />
        <p className="field-hint">Only those who govern the room read it.</p>
        {error && (
          <p className="field-error" role="alert">
            {error}
          </p>
        )}
        <div className="dialog-actions">
          <button className="button" type="button" onClick={onClose} autoFocus>
            Cancel
          </button>
          <button className="button primary" type="submit" disabled={busy}>
            Report
          </button>
        </div>
      </form>
    </Dialog>
  );
}
