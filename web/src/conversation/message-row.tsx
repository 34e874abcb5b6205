import { memo, useState } from 'react';
import type { Message, User } from '../../../sdk/index.js';
import { Avatar, hueOf } from '../avatar.js';
import { clockTime, exactTime } from '../time.js';
import { useChat } from '../use-chat.js';
import { count } from '../words.js';
import { EditField } from './edit-field.js';
import { MessageActions } from './message-actions.js';
import { Quote } from './quote.js';
import { Reactions } from './reactions.js';
import { isShadowed } from './rows.js';
import { mentionsMe, SaidText } from './said-text.js';
import { useTalk } from './talk.js';
import { VersionsDialog } from './versions-dialog.js';

interface MessageRowProps {
  message: Message;
  mine: boolean;
  lead: boolean;
  /** Where it is shown among the others of its thread. */
  inThread?: boolean;
}

/** A stored message. The SDK replaces the object when the message changes. */
export const MessageRow = memo(function MessageRow({ message, mine, lead, inThread = false }: MessageRowProps) {
  const { me } = useChat();
  const [editing, setEditing] = useState(false);
  const [picked, setPicked] = useState(false);
  const at = new Date(message.createdAt);
  const { roomId, deletedAt, replyTo, version } = message;
  return (
    <li
      className={`${rowClass(mine, lead)}${picked ? ' picked' : ''}${message.system ? ' system' : ''}`}
      data-seq={message.seq}
    >
      <Byline sender={message.sender} at={at} mine={mine} lead={lead} />
      {deletedAt !== null ? (
        <Deleted message={message} />
      ) : editing ? (
        <EditField message={message} onDone={() => setEditing(false)} />
      ) : (
        <div className={mentionsMe(message, me.id) ? 'said to-me' : 'said'}>
          {replyTo !== undefined && <Quote roomId={roomId} seq={replyTo} />}
          {/* On a screen without a pointer a tap shows what may be done. */}
          <p className="bubble" dir="auto" title={exactTime(at)} onClick={() => setPicked(!picked)}>
            <SaidText message={message} />
            {version !== undefined && <span className="edited"> (edited)</span>}
          </p>
          <MessageActions message={message} onEdit={() => setEditing(true)} />
        </div>
      )}
      <Below message={message} inThread={inThread} />
    </li>
  );
});

/** What is left of a deleted message; who governs may read one that only its sender sees. */
function Deleted({ message }: { message: Message }) {
  const [reading, setReading] = useState(false);
  if (!isShadowed(message)) return <p className="bubble deleted">Message deleted</p>;
  return (
    <p className="bubble deleted">
      Only its sender sees this{' '}
      <button type="button" className="text-button" onClick={() => setReading(true)}>
        Read it
      </button>
      {reading && <VersionsDialog message={message} onClose={() => setReading(false)} />}
    </p>
  );
}

/** What hangs on a message. */
function Below({ message, inThread }: { message: Message; inThread: boolean }) {
  const talk = useTalk();
  const { pinned, reactions, thread, threadRoot, seq } = message;
  if (!pinned && !reactions && (inThread || (!thread && threadRoot === undefined))) return null;
  return (
    <div className="below">
      {pinned && <span className="pinned-mark">Pinned</span>}
      <Reactions message={message} />
      {!inThread && (thread || threadRoot !== undefined) && (
        <button type="button" className="text-button" onClick={() => talk.openThread(threadRoot ?? seq)}>
          {thread ? count(thread.replies, 'reply', 'replies') : 'In a thread'}
        </button>
      )}
    </div>
  );
}

export const rowClass = (mine: boolean, lead: boolean): string => `message${mine ? ' mine' : ''}${lead ? ' lead' : ''}`;

interface BylineProps {
  sender: User;
  at: Date;
  mine: boolean;
  lead: boolean;
}

/** Who and when: seen above the first message of a run, read out with every one. */
export function Byline({ sender, at, mine, lead }: BylineProps) {
  const who = mine ? 'You' : sender.name;
  if (!lead) return <span className="unseen">{`${who}, ${clockTime(at)}`}</span>;
  return (
    <>
      {!mine && <Avatar user={sender} />}
      <p className="byline">
        <span className={mine ? 'sender unseen' : `sender name-hue-${hueOf(sender.id)}`}>
          <bdi>{who}</bdi>
        </span>
        <time dateTime={at.toISOString()} title={exactTime(at)}>
          {clockTime(at)}
        </time>
      </p>
    </>
  );
}
