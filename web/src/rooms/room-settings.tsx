import { useState } from 'react';
import { may, type RoomState } from '../../../sdk/index.js';
import { Dialog } from '../dialog.js';
import { useChat } from '../use-chat.js';
import { useDeed } from '../use-deed.js';
import { Bans } from './bans.js';
import { Filters } from './filters.js';
import { Held } from './held.js';
import { Invites } from './invites.js';
import { JoinRequests } from './join-requests.js';
import { Reports } from './reports.js';
import { SettingsForm } from './settings-form.js';

const tabs = ['Room', 'Invites', 'Requests', 'Reports', 'Held', 'Filters', 'Banned'] as const;

/** For those who govern the room: what it is, and who comes in. */
export function RoomSettings({ state, onClose }: { state: RoomState; onClose: () => void }) {
  const { parley } = useChat();
  const deed = useDeed();
  const [tab, setTab] = useState<(typeof tabs)[number]>('Room');
  const { room, member } = state;
  const archived = room.archivedAt !== null;
  return (
    <Dialog title={`Settings of ${room.name}`} onClose={onClose}>
      <div className="tabs" role="tablist" aria-label="Settings">
        {tabs.map((name) => (
          <button
            key={name}
            type="button"
            role="tab"
            aria-selected={name === tab}
            aria-controls="settings-tab"
            onClick={() => setTab(name)}
          >
            {name}
          </button>
        ))}
      </div>
      <div role="tabpanel" id="settings-tab" aria-label={tab}>
        {tab === 'Room' && <SettingsForm state={state} onDone={onClose} />}
        {tab === 'Invites' && <Invites roomId={room.id} />}
        {tab === 'Requests' && <JoinRequests roomId={room.id} />}
        {tab === 'Reports' && <Reports roomId={room.id} />}
        {tab === 'Held' && <Held roomId={room.id} />}
        {tab === 'Filters' && <Filters roomId={room.id} />}
        {tab === 'Banned' && <Bans roomId={room.id} />}
      </div>
      <div className="dialog-actions">
        {tab === 'Room' && may(member.role, 'room:archive') && (
          <button
            className="button danger quiet"
            type="button"
            onClick={() => void deed(() => parley.archiveRoom(room.id, !archived)).then((done) => done && onClose())}
          >
            {archived ? 'Bring back from the archive' : 'Archive room'}
          </button>
        )}
        <button className="button" type="button" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  );
}
