/** The Socket.IO rooms. Their names are made here from ids only, never from what a client sends. */
export const roomChannel = (roomId: string): string => `room:${roomId}`;
export const userChannel = (userId: string): string => `user:${userId}`;

/** The room id of a room's channel; undefined for any other. */
export const roomIdOf = (channel: string): string | undefined =>
  channel.startsWith('room:') ? channel.slice('room:'.length) : undefined;

export const isUserChannel = (channel: string): boolean => channel.startsWith('user:');
