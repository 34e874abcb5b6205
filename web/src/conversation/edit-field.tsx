import { useEffect, useRef, useState, type KeyboardEvent } from 'react';
import { limits } from '../../../src/protocol/limits.js';
import { ParleyError, type Message } from '../../../sdk/index.js';
import { useChat } from '../use-chat.js';
import { count, inWords } from '../words.js';

/** In the place of the text: Enter keeps, Escape leaves it as it was. What was typed stays where the server does not take it. */
export function EditField({ message, onDone }: { message: Message; onDone: () => void }) {
  const { parley } = useChat();
  const [text, setText] = useState(message.text);
  const [base, setBase] = useState(message.version ?? 1);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string>();
  const field = useRef<HTMLTextAreaElement>(null);
  const current = useRef(base);
  current.current = message.version ?? 1;
  const said = text.trimEnd();
  const left = (parley.session?.limits.textLength ?? limits.textLength) - said.normalize('NFC').length;
  useEffect(() => {
    field.current?.focus();
    field.current?.setSelectionRange(message.text.length, message.text.length);
    // Once, with the text of the moment when the editing began.
  }, []);
  const keep = async () => {
    if (said === '' || left < 0 || busy) return;
    setBusy(true);
    try {
      if (said !== message.text) await parley.editMessage(message.roomId, message.seq, said, base);
      onDone();
    } catch (failure) {
      setError(inWords(failure));
      // What it says now can be seen nowhere but here; to save again is to write over it knowingly.
      if (failure instanceof ParleyError && failure.code === 'version_mismatch') setBase(current.current);
      setBusy(false);
    }
  };
  const press = (event: KeyboardEvent) => {
    if (event.key === 'Escape') {
      event.stopPropagation();
      onDone();
    }
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    void keep();
  };
  return (
    <div className="edit">
      <textarea
        ref={field}
        className="field"
        aria-label="Edit the message"
        dir="auto"
        rows={Math.min(8, text.split('\n').length)}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={press}
      />
      {error && (
        <p className="field-error" role="alert">
          {error}
        </p>
      )}
      {left < 0 && <p className="field-error">{count(-left, 'character')} too many</p>}
      <p className="edit-actions">
        <button className="text-button" type="button" onClick={onDone}>
          Cancel
        </button>
        <button
          className="text-button"
          type="button"
          disabled={busy || said === '' || left < 0}
          onClick={() => void keep()}
        >
          Save
        </button>
      </p>
    </div>
  );
}
