import { useChat, useRoom } from '../use-chat.js';

/** Holds its place when nobody types, so that nothing jumps. */
export function TypingLine({ roomId }: { roomId: string }) {
  const chat = useChat();
  useRoom(roomId);
  return (
    <p className="typing-line" role="status" aria-label="Typing">
      <bdi>{inWords(chat.typing(roomId))}</bdi>
    </p>
  );
}

function inWords(names: readonly string[]): string {
  const [first, second] = names;
  if (first === undefined) return '';
  if (second === undefined) return `${first} is typing…`;
  return names.length === 2
    ? `${first} and ${second} are typing…`
    : `${first} and ${names.length - 1} others are typing…`;
}
