import { useChat, useChatVersion } from './use-chat.js';
import { count } from './words.js';

/** Says nothing while all is well. */
export function ConnectionBar() {
  const chat = useChat();
  useChatVersion();
  const { status } = chat.parley;
  const waiting = chat.waiting();
  const away = status === 'offline' || (status === 'connecting' && chat.wasOnline);
  return (
    <div className="connection-place" role="status">
      {away && (
        <p className="connection away">
          <strong>You are offline.</strong>{' '}
          {waiting > 0
            ? `${count(waiting, 'message')} ${waiting === 1 ? 'waits' : 'wait'} here and will be sent when the connection is back.`
            : 'What you write waits here and is sent when the connection is back.'}
        </p>
      )}
      {status === 'connecting' && !chat.wasOnline && <p className="connection">Connecting…</p>}
    </div>
  );
}
