import { memo } from 'react';
import type { Message, User } from '../../../sdk/index.js';
import { Avatar, hueOf } from '../avatar.js';
import { clockTime, exactTime } from '../time.js';

interface MessageRowProps {
  message: Message;
  mine: boolean;
  lead: boolean;
}

/** A stored message. The SDK replaces the object when the message changes. */
export const MessageRow = memo(function MessageRow({ message, mine, lead }: MessageRowProps) {
  const at = new Date(message.createdAt);
  return (
    <li className={rowClass(mine, lead)} data-seq={message.seq}>
      <Byline sender={message.sender} at={at} mine={mine} lead={lead} />
      {message.deletedAt === null ? (
        <p className="bubble" dir="auto" title={exactTime(at)}>
          {message.text}
        </p>
      ) : (
        <p className="bubble deleted">Message deleted</p>
      )}
    </li>
  );
});

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
