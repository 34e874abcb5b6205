import { useCallback } from 'react';
import type { JoinRequest } from '../../../sdk/index.js';
import { useChat } from '../use-chat.js';
import { useDeed } from '../use-deed.js';
import { usePages } from '../use-pages.js';
import { PagedList } from './paged-list.js';

export function JoinRequests({ roomId }: { roomId: string }) {
  const { parley } = useChat();
  const deed = useDeed();
  const ask = useCallback((cursor?: string) => parley.moderation.joinRequests({ roomId, cursor }), [parley, roomId]);
  const pages = usePages(ask);
  const answer = (request: JoinRequest, approve: boolean) =>
    void deed(() => parley.moderation.answer(request, approve)).then(pages.reload);
  return (
    <PagedList pages={pages} empty="Nobody asks to be let in." keyOf={({ user }) => user.id}>
      {(request) => (
        <>
          <span className="settings-item">
            <bdi>{request.user.name}</bdi>
          </span>
          <button className="button quiet" type="button" onClick={() => answer(request, false)}>
            Decline
          </button>
          <button className="button primary" type="button" onClick={() => answer(request, true)}>
            Let in
          </button>
        </>
      )}
    </PagedList>
  );
}
