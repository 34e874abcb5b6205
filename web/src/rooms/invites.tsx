import { useCallback, useState } from 'react';
import { inviteHref } from '../route.js';
import { exactTime } from '../time.js';
import { useChat } from '../use-chat.js';
import { useDeed } from '../use-deed.js';
import { usePages } from '../use-pages.js';
import { PagedList } from './paged-list.js';

/** Makes links that let people in. A link is told once; the list only knows that there is one. */
export function Invites({ roomId }: { roomId: string }) {
  const { parley } = useChat();
  const deed = useDeed();
  const ask = useCallback((cursor?: string) => parley.moderation.invites({ roomId, cursor }), [parley, roomId]);
  const pages = usePages(ask);
  const [link, setLink] = useState<string>();
  const [copied, setCopied] = useState(false);

  const make = async () => {
    setCopied(false);
    await deed(async () => {
      const { code } = await parley.moderation.createInvite({ roomId });
      setLink(new URL(inviteHref(code), location.href).href);
    });
    await pages.reload();
  };
  const copy = () => {
    if (link !== undefined) void navigator.clipboard.writeText(link).then(() => setCopied(true));
  };
  return (
    <>
      <button className="button primary" type="button" onClick={() => void make()}>
        Make a link
      </button>
      {link !== undefined && (
        <p className="invite-link">
          <label htmlFor="invite-link">Whoever has this link comes in</label>
          <input id="invite-link" className="field" readOnly value={link} onFocus={(event) => event.target.select()} />
          <button className="button" type="button" onClick={copy}>
            {copied ? 'Copied' : 'Copy'}
          </button>
        </p>
      )}
      <PagedList pages={pages} empty="No link holds." keyOf={({ id }) => id}>
        {({ id, uses, maxUses, expiresAt }) => (
          <>
            <span className="settings-item">
              Used {uses}
              {maxUses === null ? '' : ` of ${maxUses}`} times
              <span className="optional"> until {exactTime(new Date(expiresAt))}</span>
            </span>
            <button
              className="button quiet"
              type="button"
              onClick={() => void deed(() => parley.moderation.revokeInvite(roomId, id)).then(pages.reload)}
            >
              Take back
            </button>
          </>
        )}
      </PagedList>
    </>
  );
}
