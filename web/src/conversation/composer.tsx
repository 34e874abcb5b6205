import { useEffect, useLayoutEffect, useRef, useState, type KeyboardEvent, type SyntheticEvent } from 'react';
import { limits } from '../../../src/protocol/limits.js';
import { SendIcon } from '../icons.js';
import { useChat } from '../use-chat.js';
import { count } from '../words.js';

/** The counter appears when so many characters are left. */
const nearLimit = 200;

/** What was begun in each room, kept while the page is open. */
const drafts = new Map<string, string>();

export function Composer({ roomId, roomName }: { roomId: string; roomName: string }) {
  const { parley } = useChat();
  const [text, setText] = useState(() => drafts.get(roomId) ?? '');
  const field = useRef<HTMLTextAreaElement>(null);
  const said = text.replace(/^\s*\n/, '').trimEnd();
  const left = (parley.session?.limits.textLength ?? limits.textLength) - said.normalize('NFC').length;
  const sendable = said !== '' && left >= 0;

  useEffect(() => {
    if (!matchMedia('(pointer: coarse)').matches) field.current?.focus();
  }, []);
  useEffect(() => {
    if (text === '') drafts.delete(roomId);
    else drafts.set(roomId, text);
  }, [roomId, text]);
  useLayoutEffect(() => {
    const element = field.current;
    if (!element) return;
    element.style.height = 'auto';
    element.style.height = `${element.scrollHeight}px`;
  }, [text]);

  const send = () => {
    if (!sendable) return;
    // A refusal is shown at the message itself.
    parley.send(roomId, said).sent.catch(() => undefined);
    setText('');
    field.current?.focus();
  };
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    send();
  };
  const press = (event: KeyboardEvent) => {
    // Enter that ends the composition of a character (Japanese, Chinese …) is no sending.
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };

  return (
    <form className="composer" onSubmit={submit}>
      <div className="composer-box">
        <textarea
          ref={field}
          rows={1}
          dir="auto"
          placeholder="Write a message"
          aria-label={`Message to ${roomName}`}
          aria-describedby="composer-foot"
          aria-invalid={left < 0}
          enterKeyHint="send"
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={press}
        />
        <button className="send" type="submit" aria-label="Send" disabled={!sendable}>
          <SendIcon />
        </button>
      </div>
      <p className="composer-foot" id="composer-foot">
        <span className="composer-keys">Enter sends, Shift+Enter starts a new line</span>
        <span className={left < 0 ? 'counter over' : 'counter'} role="status">
          {left < 0
            ? `${count(-left, 'character')} too many`
            : left <= nearLimit
              ? `${count(left, 'character')} left`
              : ''}
        </span>
      </p>
    </form>
  );
}
