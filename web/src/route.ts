import { useSyncExternalStore } from 'react';

const pattern = /^#\/rooms\/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/i;

const invitePattern = /^#\/invite\/([\w-]{8,128})$/;

/** The address of a room on this page; anyone who may join it can open it. */
export const roomHref = (roomId: string): string => `#/rooms/${roomId}`;

export function openRoom(roomId: string): void {
  location.hash = roomHref(roomId);
}

/** The address that lets whoever opens it into a room. */
export const inviteHref = (code: string): string => `#/invite/${code}`;

/** The invite that the address is. */
export function useInviteCode(): string | undefined {
  return useSyncExternalStore(subscribe, () => invitePattern.exec(location.hash)?.[1]);
}

/** From this room back to the list, unless another one has been opened since. */
export function closeRoom(roomId: string): void {
  if (openRoomId() === roomId) forgetAddress();
}

/** To the list of rooms. */
export function forgetAddress(): void {
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
