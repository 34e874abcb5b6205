import { useState } from 'react';
import { Avatar } from '../avatar.js';
import { Confirm } from '../dialog.js';
import { Logo, PlusIcon, SearchIcon } from '../icons.js';
import { openRoom } from '../route.js';
import { useChat, useChatVersion } from '../use-chat.js';
import { MyRooms } from './my-rooms.js';
import { NewRoomDialog } from './new-room-dialog.js';
import { PublicRooms } from './public-rooms.js';

export function Sidebar({ openId, onSignOut }: { openId: string | undefined; onSignOut: () => void }) {
  const chat = useChat();
  useChatVersion();
  const [query, setQuery] = useState('');
  const [dialog, setDialog] = useState<'new' | 'sign-out'>();
  const closeDialog = () => setDialog(undefined);

  return (
    <nav className="sidebar" aria-label="Rooms" tabIndex={-1}>
      <header className="sidebar-head">
        <Logo />
        <h1>Parley</h1>
        <button className="button quiet" type="button" onClick={() => setDialog('new')}>
          <PlusIcon />
          New room
        </button>
      </header>
      <div className="search" role="search">
        <SearchIcon />
        <input
          className="field"
          type="search"
          placeholder="Find a room"
          aria-label="Find a room"
          value={query}
          onChange={(event) => setQuery(event.target.value)}
          enterKeyHint="search"
        />
      </div>
      <div className="sidebar-lists">
        <MyRooms query={query} openId={openId} />
        <PublicRooms query={query} onStartRoom={() => setDialog('new')} />
      </div>
      <footer className="sidebar-foot">
        <Avatar user={chat.me} small />
        <span className="sidebar-me">
          <bdi>{chat.me.name}</bdi>
        </span>
        <button className="button quiet" type="button" onClick={() => setDialog('sign-out')}>
          Change name
        </button>
      </footer>
      {dialog === 'new' && (
        <NewRoomDialog
          onClose={closeDialog}
          onCreated={(roomId) => {
            closeDialog();
            openRoom(roomId);
          }}
        />
      )}
      {dialog === 'sign-out' && (
        <Confirm
          title="Come in under another name?"
          text={
            <>
              You will be a new guest, and the name <bdi>{chat.me.name}</bdi> with its rooms stays behind. There is no
              way back to it.
            </>
          }
          action="Change name"
          onConfirm={onSignOut}
          onClose={closeDialog}
        />
      )}
    </nav>
  );
}
