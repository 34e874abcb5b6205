import { useEffect, useRef } from 'react';
import { may, type Message } from '../../../sdk/index.js';
import { Panel } from '../panel.js';
import { useChat, useRoom } from '../use-chat.js';
import { Composer } from './composer.js';
import { MessageRow } from './message-row.js';
import { isShadowed } from './rows.js';
import { OutgoingRow } from './outgoing-row.js';
import { useThread } from './use-thread.js';

/** A message and the replies in its thread, with a field to write the next one. */
export function ThreadPanel({ roomId, root, onClose }: { roomId: string; root: number; onClose: () => void }) {
  const chat = useChat();
  const state = useRoom(roomId);
  const { messages, hasBefore, loading, error, loadOlder } = useThread(roomId, root, chat.resets(roomId));
  const end = useRef<HTMLLIElement>(null);
  const stored = new Set(messages.map(({ clientMsgId }) => clientMsgId));
  const pending = (state?.outgoing ?? []).filter(
    ({ extras, clientMsgId }) => extras.threadRoot === root && !stored.has(clientMsgId),
  );
  const newest = (messages.at(-1)?.seq ?? 0) + pending.length;
  useEffect(() => {
    end.current?.scrollIntoView({ block: 'nearest' });
  }, [newest]);
  if (!state) return null;
  const shown = (message: Message) => !isShadowed(message) || may(state.member.role, 'message:versions');
  return (
    <Panel title="Thread" closeLabel="Close the thread" onClose={onClose}>
      <ol className="messages thread" aria-label="Messages of the thread" aria-busy={loading}>
        {messages.filter(shown).map((message) => (
          <MessageRow key={message.seq} message={message} mine={message.sender.id === chat.me.id} lead inThread />
        ))}
        {pending.map((outgoing) => (
          <OutgoingRow key={outgoing.clientMsgId} outgoing={outgoing} lead />
        ))}
        <li ref={end} />
      </ol>
      {error && <p className="list-hint">{error}</p>}
      {hasBefore && (
        <button className="button quiet wide" type="button" onClick={loadOlder} disabled={loading}>
          Show earlier replies
        </button>
      )}
      <Composer roomId={roomId} threadRoot={root} label="Reply in the thread" />
    </Panel>
  );
}
