import type { ReactNode } from 'react';
import type { Message } from '../../../sdk/index.js';
import { useChat, useRoom } from '../use-chat.js';

/** The text, with those who are mentioned standing out. */
export function SaidText({ message: { roomId, text, mentions } }: { message: Message }): ReactNode {
  const { me } = useChat();
  const members = useRoom(roomId)?.members;
  if (!mentions) return text;
  const names = mentions.users
    .flatMap((id) => members?.get(id)?.user ?? [])
    .map(({ id, name }) => ({ id, word: `@${name}` }));
  if (mentions.room) names.push({ id: me.id, word: '@room' });
  names.sort((one, other) => other.word.length - one.word.length);
  const parts: ReactNode[] = [];
  let from = 0;
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    const found = at < from ? undefined : names.find(({ word }) => text.startsWith(word, at));
    if (found === undefined) continue;
    parts.push(
      text.slice(from, at),
      <mark key={at} className={found.id === me.id ? 'mention me' : 'mention'}>
        {found.word}
      </mark>,
    );
    from = at + found.word.length;
  }
  return [...parts, text.slice(from)];
}

export const mentionsMe = ({ mentions }: Message, me: string): boolean =>
  mentions !== undefined && (mentions.room || mentions.users.includes(me));
