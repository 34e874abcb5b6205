import { useState } from 'react';
import { Avatar } from '../avatar.js';
import { Confirm } from '../dialog.js';
import { Logo, PlusIcon, SearchIcon } from '../icons.js';
import { openRoom } from '../route.js';
import { useChat, useChatVersion } from '../use-chat.js';
import { MyRooms } from './my-rooms.js';
import { NewRoomDialog } from './new-room-dialog.js';
import { PresenceChoice } from './presence-choice.js';
import { PublicRooms } from './public-rooms.js';

interface SidebarProps {
  openId: string | undefined;
  /** Of one who has an account. */
  handle: string | undefined;
  onSignOut: () => void;
}

export function Sidebar({ openId, handle, onSignOut }: SidebarProps) {
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
          <PresenceChoice />
        </span>
        <button className="button quiet" type="button" onClick={() => setDialog('sign-out')}>
          {handle === undefined ? 'Change name' : 'Log out'}
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
      {dialog === 'sign-out' && handle !== undefined && (
        <Confirm
          title="Log out?"
          text={
            <>
              Your rooms are there again when you log in as <bdi>{handle}</bdi>.
            </>
          }
          action="Log out"
          onConfirm={onSignOut}
          onClose={closeDialog}
        />
      )}
      {dialog === 'sign-out' && handle === undefined && (
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
