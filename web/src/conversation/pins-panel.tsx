import { useEffect, useRef, useState } from 'react';
import type { Message } from '../../../sdk/index.js';
import { Panel } from '../panel.js';
import { exactTime } from '../time.js';
import { useChat } from '../use-chat.js';
import { inWords } from '../words.js';
import { inLine } from './quote.js';
import { useTalk } from './talk.js';

/** What was pinned, the latest first; asked for anew whenever a pin may have changed. */
export function PinsPanel({ roomId, onClose }: { roomId: string; onClose: () => void }) {
  const { parley } = useChat();
  const talk = useTalk();
  const [pins, setPins] = useState<readonly Message[]>();
  const [error, setError] = useState<string>();
  const shown = useRef<ReadonlySet<number>>(new Set());
  useEffect(() => {
    let asked = 0;
    const load = () => {
      const turn = ++asked;
      parley
        .pinnedMessages(roomId)
        .then((messages) => {
          if (turn !== asked) return;
          shown.current = new Set(messages.map(({ seq }) => seq));
          setPins(messages);
        })
        .catch((failure: unknown) => setError(inWords(failure)));
    };
    load();
    const stop = parley.on('change', (changed, change) => {
      if (changed !== roomId || change.kind !== 'message') return;
      if (change.message.pinned || shown.current.has(change.message.seq)) load();
    });
    return () => {
      asked = Infinity;
      stop();
    };
  }, [parley, roomId]);
  return (
    <Panel title="Pinned messages" closeLabel="Close the pinned messages" onClose={onClose}>
      {error && <p className="list-hint">{error}</p>}
      {pins?.length === 0 && <p className="list-hint">Nothing is pinned.</p>}
      <ol className="pins" aria-busy={!pins && !error}>
        {pins?.map((message) => (
          <li key={message.seq}>
            <button type="button" onClick={() => talk.jumpTo(message.seq)}>
              <span className="pin-by">
                <bdi>{message.sender.name}</bdi> <time>{exactTime(new Date(message.createdAt))}</time>
              </span>
              <bdi>{inLine(message)}</bdi>
            </button>
          </li>
        ))}
      </ol>
    </Panel>
  );
}
