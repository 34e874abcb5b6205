import { useState } from 'react';
import { may, mayTouch, type Member, type RoomState } from '../../../sdk/index.js';
import { Confirm } from '../dialog.js';
import { MoreIcon } from '../icons.js';
import { Popup } from '../popup.js';
import { openRoom } from '../route.js';
import { useChat } from '../use-chat.js';
import { useDeed } from '../use-deed.js';
import { BanDialog } from './ban-dialog.js';
import { ShadowDialog } from './shadow-dialog.js';

const mutes: [ms: number, word: string][] = [
  [10 * 60_000, 'Mute for 10 minutes'],
  [24 * 3_600_000, 'Mute for a day'],
];
const roles = ['owner', 'moderator', 'member', 'reader'] as const;

/** What I may do with another member. */
export function MemberActions({ state, member }: { state: RoomState; member: Member }) {
  const { parley } = useChat();
  const deed = useDeed();
  const [dialog, setDialog] = useState<'remove' | 'ban' | 'shadow'>();
  const { user, role } = member;
  const { room, member: me } = state;
  const { moderation } = parley;
  const governs = room.kind === 'group' && mayTouch(me.role, role);
  const mayGive = (wanted: (typeof roles)[number]) =>
    wanted !== role && (me.role === 'owner' || (wanted !== 'owner' && mayTouch(me.role, wanted)));
  const muted = member.mutedUntil !== null && Date.parse(member.mutedUntil) > Date.now();
  const mute = (until: number | null) =>
    void deed(() => moderation.mute(room.id, user.id, until === null ? null : new Date(until).toISOString()));
  const items = [
    {
      word: 'Write to alone',
      deed: () => void deed(async () => openRoom((await parley.directRoom(user.id)).room.id)),
    },
    ...(governs && may(me.role, 'member:role')
      ? roles.filter(mayGive).map((wanted) => ({
          word: `Make ${wanted}`,
          deed: () => void deed(() => moderation.setRole(room.id, user.id, wanted)),
        }))
      : []),
    ...(governs && may(me.role, 'member:mute')
      ? muted
        ? [{ word: 'Let speak again', deed: () => mute(null) }]
        : mutes.map(([ms, word]) => ({ word, deed: () => mute(Date.now() + ms) }))
      : []),
    ...(governs && may(me.role, 'member:shadow')
      ? [{ word: 'Mute without telling', deed: () => setDialog('shadow') }]
      : []),
    ...(governs && may(me.role, 'member:remove') ? [{ word: 'Remove', deed: () => setDialog('remove') }] : []),
    ...(governs && may(me.role, 'member:ban') ? [{ word: 'Ban', deed: () => setDialog('ban') }] : []),
  ];
  return (
    <>
      <Popup label={`What to do with ${user.name}`} face={<MoreIcon />}>
        {(close) => (
          <ul className="menu">
            {items.map(({ word, deed: begin }) => (
              <li key={word}>
                <button
                  type="button"
                  onClick={() => {
                    close();
                    begin();
                  }}
                >
                  {word}
                </button>
              </li>
            ))}
          </ul>
        )}
      </Popup>
      {dialog === 'remove' && (
        <Confirm
          title={`Remove ${user.name}?`}
          text={room.visibility === 'public' ? 'They can join again.' : 'Only an invite or a member brings them back.'}
          stay="Cancel"
          action="Remove"
          onConfirm={() => {
            setDialog(undefined);
            void deed(() => moderation.remove(room.id, user.id));
          }}
          onClose={() => setDialog(undefined)}
        />
      )}
      {dialog === 'shadow' && <ShadowDialog roomId={room.id} user={user} onClose={() => setDialog(undefined)} />}
      {dialog === 'ban' && <BanDialog roomId={room.id} user={user} onClose={() => setDialog(undefined)} />}
    </>
  );
}
