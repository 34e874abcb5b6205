import { useEffect, useRef, useState } from 'react';
import type { ParleyError } from '../../sdk/index.js';
import { ConnectionBar } from './connection-bar.js';
import { Conversation } from './conversation/conversation.js';
import { JoinPrompt } from './conversation/join-prompt.js';
import { Notice, SayContext } from './notice.js';
import { Sidebar } from './rooms/sidebar.js';
import { AcceptInvite } from './rooms/accept-invite.js';
import { roomName } from './rooms/room-name.js';
import type { Entered } from './session.js';
import { roomHref, useInviteCode, useOpenRoomId } from './route.js';
import { ChatContext, useChat, useChatVersion, useConnection } from './use-chat.js';

interface WorkspaceProps {
  entered: Entered;
  /** Without an error the person wanted to go. */
  onEnd: (error?: ParleyError) => void;
}

export function Workspace({ entered, onEnd }: WorkspaceProps) {
  const chat = useConnection(entered, onEnd);
  const [notice, setNotice] = useState<string>();
  if (!chat) return null;
  return (
    <ChatContext value={chat}>
      <SayContext value={setNotice}>
        <Screens handle={entered.handle} onSignOut={() => onEnd()} />
        <Notice text={notice} onDismiss={() => setNotice(undefined)} />
      </SayContext>
    </ChatContext>
  );
}

/** Side by side on a wide screen; on a narrow one the list, or the room that the address names. */
function Screens({ handle, onSignOut }: { handle: string | undefined; onSignOut: () => void }) {
  const chat = useChat();
  const openId = useOpenRoomId();
  const invite = useInviteCode();
  useChatVersion();
  useTitle(openId);
  useWarningBeforeLoss();
  useFocusOnReturn(openId);
  const state = openId === undefined ? undefined : chat.parley.rooms.get(openId);
  return (
    <div className="workspace" data-screen={openId === undefined && invite === undefined ? 'rooms' : 'room'}>
      <Sidebar openId={openId} handle={handle} onSignOut={onSignOut} />
      <div className="stage">
        <ConnectionBar />
        {invite !== undefined ? (
          <AcceptInvite key={invite} code={invite} />
        ) : openId === undefined ? (
          <main className="blank">
            <p>Pick a room on the left, or start a new one.</p>
          </main>
        ) : state ? (
          <Conversation key={openId} roomId={openId} />
        ) : (
          <JoinPrompt key={openId} roomId={openId} />
        )}
      </div>
    </div>
  );
}

/** On a narrow screen the room that had the focus is gone: its entry in the list gets it. */
function useFocusOnReturn(openId: string | undefined): void {
  const before = useRef(openId);
  useEffect(() => {
    const left = before.current;
    before.current = openId;
    if (left === undefined || openId !== undefined) return;
    document.querySelector<HTMLElement>(`a[href="${roomHref(left)}"], .sidebar`)?.focus();
  }, [openId]);
}

function useTitle(openId: string | undefined): void {
  const chat = useChat();
  const { rooms } = chat.parley;
  let unread = 0;
  for (const roomId of rooms.keys()) unread += chat.unread(roomId);
  const open = openId === undefined ? undefined : rooms.get(openId);
  const name = open && roomName(open);
  const title = `${unread > 0 ? `(${unread > 99 ? '99+' : unread}) ` : ''}${name ? `${name} · ` : ''}Parley`;
  useEffect(() => {
    document.title = title;
  }, [title]);
}

/** What waits to be sent lives in this page only. */
function useWarningBeforeLoss(): void {
  const chat = useChat();
  const waiting = chat.waiting() > 0;
  useEffect(() => {
    if (!waiting) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener('beforeunload', warn);
    return () => removeEventListener('beforeunload', warn);
  }, [waiting]);
}
