import { may, type Message } from '../../../sdk/index.js';
import { useChat, useRoom } from '../use-chat.js';
import { useDeed } from '../use-deed.js';
import { listing } from '../words.js';

type Reaction = NonNullable<Message['reactions']>[number];

/** Puts an emoji of mine on the message, or takes it off. */
export function useReact(message: Message): (emoji: string) => void {
  const { parley, me } = useChat();
  const deed = useDeed();
  const { roomId, seq } = message;
  const isMine = async (emoji: string): Promise<boolean> => {
    const reaction = message.reactions?.find((each) => each.emoji === emoji);
    if (reaction === undefined) return false;
    if (reaction.users.includes(me.id)) return true;
    // Of many only the first are named.
    if (reaction.count === reaction.users.length) return false;
    return (await parley.myReactions(roomId, seq, seq)).get(seq)?.includes(emoji) === true;
  };
  return (emoji) => void deed(async () => parley.react(roomId, seq, emoji, !(await isMine(emoji))));
}

/** The reactions to a message, each a button that adds mine or takes it back. */
export function Reactions({ message }: { message: Message }) {
  const { me } = useChat();
  const state = useRoom(message.roomId);
  const toggle = useReact(message);
  if (!message.reactions || !state) return null;
  const names = ({ users, count }: Reaction) => {
    const known = users.map((id) => (id === me.id ? 'you' : (state.members.get(id)?.user.name ?? 'someone')));
    return listing(count > users.length ? [...known, `${count - users.length} others`] : known, 10);
  };
  return (
    <ul className="reactions" aria-label="Reactions">
      {message.reactions.map((reaction) => (
        <li key={reaction.emoji}>
          <button
            type="button"
            className="reaction"
            aria-pressed={reaction.users.includes(me.id)}
            aria-label={`${reaction.emoji} ${reaction.count}, ${names(reaction)}`}
            title={names(reaction)}
            disabled={!may(state.member.role, 'message:react') || state.room.archivedAt !== null}
            onClick={() => toggle(reaction.emoji)}
          >
            <span>{reaction.emoji}</span> {reaction.count.toLocaleString()}
          </button>
        </li>
      ))}
    </ul>
  );
}
