import { useCallback } from 'react';
import { exactTime } from '../time.js';
import { useChat } from '../use-chat.js';
import { useDeed } from '../use-deed.js';
import { usePages } from '../use-pages.js';
import { PagedList } from './paged-list.js';

export function Bans({ roomId }: { roomId: string }) {
  const { parley } = useChat();
  const deed = useDeed();
  const ask = useCallback((cursor?: string) => parley.moderation.bans({ roomId, cursor }), [parley, roomId]);
  const pages = usePages(ask);
  return (
    <PagedList pages={pages} empty="Nobody is banned." keyOf={({ user }) => user.id}>
      {({ user, reason, until }) => (
        <>
          <span className="settings-item">
            <bdi>{user.name}</bdi>
            <span className="optional">
              {until === null ? ' for good' : ` until ${exactTime(new Date(until))}`}
              {reason && (
                <>
                  : <bdi>{reason}</bdi>
                </>
              )}
            </span>
          </span>
          <button
            className="button quiet"
            type="button"
            onClick={() => void deed(() => parley.moderation.unban(roomId, user.id)).then(pages.reload)}
          >
            Lift
          </button>
        </>
      )}
    </PagedList>
  );
}
