import { z } from 'zod';
import { ChatError } from '../chat-error.js';
import { Id, RoomName } from '../protocol/index.js';

const Place = z.tuple([RoomName, Id]);

/** Where a page of rooms ordered by name ended. Opaque to clients. */
export function encodeRoomCursor(room: { name: string; id: string } | undefined): string | null {
  return room === undefined ? null : Buffer.from(JSON.stringify([room.name, room.id])).toString('base64url');
}

/** @throws ChatError `invalid_argument` */
export function decodeRoomCursor(cursor: string): { name: string; id: string } {
  try {
    const [name, id] = Place.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
    return { name, id };
  } catch {
    throw new ChatError('invalid_argument', 'The cursor is not one that a page gave', { details: ['cursor: Unknown'] });
  }
}
