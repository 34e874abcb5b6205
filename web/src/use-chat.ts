import { createContext, useContext, useEffect, useState, useSyncExternalStore } from 'react';
import { Parley, type ParleyError, type RoomState } from '../../sdk/index.js';
import { Chat } from './chat.js';
import type { Entered } from './session.js';

export const ChatContext = createContext<Chat | undefined>(undefined);

/** The chat of who has come in. */
export function useChat(): Chat {
  const chat = useContext(ChatContext);
  if (!chat) throw new Error('Used outside of ChatContext');
  return chat;
}

/** Renders again with every change of anything. The SDK mutates its read model in place: the version is what changes. */
export function useChatVersion(): number {
  const chat = useChat();
  return useSyncExternalStore(chat.subscribe, chat.version);
}

/** The live state of one room of mine; renders again with that room only. */
export function useRoom(roomId: string): RoomState | undefined {
  const chat = useChat();
  useSyncExternalStore(chat.subscribe, () => chat.roomVersion(roomId));
  return chat.parley.rooms.get(roomId);
}

/** Connects as this person while the component stands; `onEnd` hears why the server ended the session for good. */
export function useConnection(entered: Entered, onEnd: (error: ParleyError) => void): Chat | undefined {
  const [chat, setChat] = useState<Chat>();
  useEffect(() => {
    const opened = new Chat(new Parley({ url: location.origin, token: entered.token }), entered.user);
    const off = opened.parley.on('closed', onEnd);
    setChat(opened);
    return () => {
      off();
      opened.close();
    };
  }, [entered, onEnd]);
  return chat;
}
