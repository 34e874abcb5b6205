import { useEffect, useState } from 'react';
import { useChat } from '../use-chat.js';

const kept = 5;

/** Reads what others say to those who listen; the timeline itself stays silent, or scrolling back would be read out. */
export function Announcer({ roomId }: { roomId: string }) {
  const { parley, me } = useChat();
  const [heard, setHeard] = useState<readonly { rev: number; text: string }[]>([]);
  useEffect(
    () =>
      parley.on('change', (changed, change) => {
        if (changed !== roomId || change.kind === 'room') return;
        let text: string;
        if (change.kind === 'message') {
          const { sender, deletedAt, text: said } = change.message;
          if (sender.id === me.id || deletedAt !== null) return;
          text = `${sender.name}: ${said}`;
        } else {
          const { user, leftAt } = change.member;
          if (user.id === me.id) return;
          text = `${user.name} ${leftAt === null ? 'joined' : 'left'}`;
        }
        setHeard((before) => [...before.slice(1 - kept), { rev: change.rev, text }]);
      }),
    [parley, me, roomId],
  );
  return (
    <div className="unseen" role="log" aria-label="New messages">
      {heard.map(({ rev, text }) => (
        <p key={rev}>{text}</p>
      ))}
    </div>
  );
}
