import { useState, type SyntheticEvent } from 'react';

const common = ['👍', '❤️', '😂', '🎉', '😮', '😢', '🙏', '✅'];

/** A few emoji to press, and a field for any other. */
export function EmojiChoice({ onChoose }: { onChoose: (emoji: string) => void }) {
  const [other, setOther] = useState('');
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (other.trim() !== '') onChoose(other.trim());
  };
  return (
    <div className="emoji-choice">
      {common.map((emoji) => (
        <button key={emoji} type="button" className="emoji" onClick={() => onChoose(emoji)}>
          {emoji}
        </button>
      ))}
      <form onSubmit={submit}>
        <input
          className="field"
          aria-label="Another emoji"
          placeholder="Another one"
          value={other}
          maxLength={36}
          autoComplete="off"
          onChange={(event) => setOther(event.target.value)}
        />
      </form>
    </div>
  );
}
