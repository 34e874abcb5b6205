import type { Message } from '../../../sdk/index.js';
import { useRoom } from '../use-chat.js';
import { useTalk } from './talk.js';

/** What a message answers, in a line; pressing it goes there. */
export function Quote({ roomId, seq }: { roomId: string; seq: number }) {
  const state = useRoom(roomId);
  const talk = useTalk();
  const quoted = state?.messages[seq - (state.messages[0]?.seq ?? 0)];
  return (
    <button type="button" className="quote" onClick={() => talk.jumpTo(seq)}>
      {quoted ? (
        <>
          <bdi>{quoted.sender.name}</bdi>: <bdi>{inLine(quoted)}</bdi>
        </>
      ) : (
        'Answers an earlier message'
      )}
    </button>
  );
}

export const inLine = ({ text, deletedAt }: Message): string =>
  deletedAt === null ? text.replaceAll(/\s+/g, ' ').slice(0, 120) : 'Message deleted';
