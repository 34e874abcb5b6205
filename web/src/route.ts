import { useSyncExternalStore } from 'react';

const pattern = /^#\/rooms\/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/i;

/** The address of a room on this page; anyone who may join it can open it. */
export const roomHref = (roomId: string): string => `#/rooms/${roomId}`;

export function openRoom(roomId: string): void {
  location.hash = roomHref(roomId);
}

/** From this room back to the list, unless another one has been opened since. */
export function closeRoom(roomId: string): void {
  if (openRoomId() !== roomId) return;
  history.replaceState(null, '', location.pathname + location.search);
  dispatchEvent(new HashChangeEvent('hashchange'));
}

/** The room that the address names. */
export function useOpenRoomId(): string | undefined {
  return useSyncExternalStore(subscribe, openRoomId);
}

function openRoomId(): string | undefined {
  return pattern.exec(location.hash)?.[1]?.toLowerCase();
}

function subscribe(listener: () => void): () => void {
  addEventListener('hashchange', listener);
  return () => removeEventListener('hashchange', listener);
}
