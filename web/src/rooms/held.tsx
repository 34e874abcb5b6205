import { useCallback } from 'react';
import type { HeldMessage } from '../../../sdk/index.js';
import { useChat } from '../use-chat.js';
import { useDeed } from '../use-deed.js';
import { usePages } from '../use-pages.js';
import { PagedList } from './paged-list.js';

/** Messages that wait to be approved, the oldest first. */
export function Held({ roomId }: { roomId: string }) {
  const { parley } = useChat();
  const deed = useDeed();
  const ask = useCallback((cursor?: string) => parley.moderation.held({ roomId, cursor }), [parley, roomId]);
  const pages = usePages(ask);
  const answer = (message: HeldMessage, approve: boolean) =>
    void deed(() => parley.moderation.answerHeld(message, approve)).then(pages.reload);
  return (
    <PagedList pages={pages} empty="Nothing waits." keyOf={({ id }) => id}>
      {(message) => (
        <>
          <span className="settings-item">
            <bdi>{message.sender.name}</bdi>: <bdi>{message.text}</bdi>
            <span className="optional">
              {message.seq !== null && ' an edit'}
              {message.reason && ` ${message.reason}`}
            </span>
          </span>
          <button className="button quiet" type="button" onClick={() => answer(message, false)}>
            Decline
          </button>
          <button className="button primary" type="button" onClick={() => answer(message, true)}>
            Approve
          </button>
        </>
      )}
    </PagedList>
  );
}
