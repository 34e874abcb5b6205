import { useEffect, useId, useLayoutEffect, useRef, useState, type KeyboardEvent, type SyntheticEvent } from 'react';
import { flushSync } from 'react-dom';
import { limits } from '../../../src/protocol/limits.js';
import type { Message } from '../../../sdk/index.js';
import { CloseIcon, SendIcon } from '../icons.js';
import { useChat, useRoom } from '../use-chat.js';
import { count } from '../words.js';
import { begunAt, candidates, mentionsIn, type Candidate } from './mentioning.js';
import { MentionList } from './mention-list.js';
import { inLine } from './quote.js';
import { useSlowMode } from './use-slow-mode.js';

/** The counter appears when so many characters are left. */
const nearLimit = 200;

/** What was begun in each room and thread, kept while the page is open. */
const drafts = new Map<string, { text: string; picked: Candidate[] }>();

interface ComposerProps {
  roomId: string;
  /** How the field is called. */
  label: string;
  /** Goes into the thread of this message. */
  threadRoot?: number;
  /** The message that is answered. */
  answers?: Message | undefined;
  onAnswered?: () => void;
}

export function Composer({ roomId, label, threadRoot, answers, onAnswered }: ComposerProps) {
  const { parley } = useChat();
  const state = useRoom(roomId);
  const key = `${roomId} ${threadRoot ?? ''}`;
  const [text, setText] = useState(() => drafts.get(key)?.text ?? '');
  const [picked, setPicked] = useState<Candidate[]>(() => drafts.get(key)?.picked ?? []);
  const [cursor, setCursor] = useState(0);
  const [at, setAt] = useState(0);
  const [dismissed, setDismissed] = useState(-1);
  const field = useRef<HTMLTextAreaElement>(null);
  const id = useId();
  const said = text.replace(/^\s*\n/, '').trimEnd();
  const left = (parley.session?.limits.textLength ?? limits.textLength) - said.normalize('NFC').length;
  const waitS = useSlowMode(state);
  const sendable = said !== '' && left >= 0 && waitS === 0;
  const begun = begunAt(text, cursor);
  const offered = state && begun && begun.from !== dismissed ? candidates(state, begun.begun) : [];
  const chosen = Math.min(at, offered.length - 1);

  useEffect(() => {
    if (!matchMedia('(pointer: coarse)').matches || answers) field.current?.focus();
  }, [answers]);
  const knowsAll = state === undefined || state.members.size >= state.memberCount;
  const calling = begun !== undefined && !knowsAll;
  useEffect(() => {
    // Those who have not been seen yet; without them others can be mentioned still.
    if (calling) parley.listMembers({ roomId, limit: limits.listPage }).catch(() => undefined);
  }, [parley, roomId, calling]);
  useEffect(() => {
    if (text === '') drafts.delete(key);
    else drafts.set(key, { text, picked });
  }, [key, text, picked]);
  useLayoutEffect(() => {
    const element = field.current;
    if (!element) return;
    element.style.height = 'auto';
    element.style.height = `${element.scrollHeight}px`;
  }, [text]);

  const send = () => {
    if (!sendable) return;
    const mentions = mentionsIn(said, picked);
    const extras = {
      ...(threadRoot !== undefined && { threadRoot }),
      ...(answers && { replyTo: answers.seq }),
      ...(mentions && { mentions }),
    };
    // A refusal is shown at the message itself.
    parley.send(roomId, said, extras).sent.catch(() => undefined);
    parley.setTyping(roomId, false);
    setText('');
    setPicked([]);
    onAnswered?.();
    field.current?.focus();
  };
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    send();
  };
  const pick = (candidate: Candidate) => {
    if (!begun) return;
    const head = `${text.slice(0, begun.from)}@${candidate.name} `;
    // At once: what is typed next goes where the cursor is by then.
    flushSync(() => {
      setText(head + text.slice(cursor));
      setPicked((before) => [...before, candidate]);
      setCursor(head.length);
    });
    field.current?.setSelectionRange(head.length, head.length);
  };
  const choose = (event: KeyboardEvent): boolean => {
    if (offered.length === 0) return false;
    if (event.key === 'ArrowDown') setAt((chosen + 1) % offered.length);
    else if (event.key === 'ArrowUp') setAt((chosen + offered.length - 1) % offered.length);
    else if (event.key === 'Escape') setDismissed(begun?.from ?? -1);
    else if ((event.key === 'Enter' || event.key === 'Tab') && offered[chosen]) pick(offered[chosen]);
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  };
  const press = (event: KeyboardEvent) => {
    // Enter that ends the composition of a character (Japanese, Chinese …) is no sending.
    if (event.nativeEvent.isComposing || choose(event)) return;
    if (event.key === 'Escape' && answers) onAnswered?.();
    if (event.key !== 'Enter' || event.shiftKey) return;
    event.preventDefault();
    send();
  };

  return (
    <form className="composer" onSubmit={submit}>
      {answers && (
        <p className="answering">
          <span>
            Answering <bdi>{answers.sender.name}</bdi>: <bdi>{inLine(answers)}</bdi>
          </span>
          <button className="icon-button" type="button" aria-label="Answer nothing" onClick={onAnswered}>
            <CloseIcon />
          </button>
        </p>
      )}
      {offered.length > 0 && <MentionList id={`${id}-people`} candidates={offered} at={chosen} onPick={pick} />}
      <div className="composer-box">
        <textarea
          ref={field}
          rows={1}
          dir="auto"
          placeholder="Write a message"
          aria-label={label}
          aria-describedby={`${id}-foot`}
          aria-invalid={left < 0}
          aria-controls={offered.length > 0 ? `${id}-people` : undefined}
          aria-activedescendant={offered.length > 0 ? `${id}-people-${chosen}` : undefined}
          enterKeyHint="send"
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setCursor(event.target.selectionStart);
            setAt(0);
            if (threadRoot === undefined) parley.setTyping(roomId, event.target.value.trim() !== '');
          }}
          onSelect={(event) => setCursor(event.currentTarget.selectionStart)}
          onKeyDown={press}
        />
        <button className="send" type="submit" aria-label="Send" disabled={!sendable}>
          <SendIcon />
        </button>
      </div>
      <p className="composer-foot" id={`${id}-foot`}>
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
