import type { RoomState } from '../../../sdk/index.js';

/** What the room is called for me: a direct one by the other person. */
export function roomName({ room, member, members, messages }: RoomState): string {
  if (room.kind === 'group') return room.name;
  const mine = member.user.id;
  const other =
    [...members.values()].find(({ user }) => user.id !== mine)?.user ??
    messages.find(({ sender }) => sender.id !== mine)?.sender;
  return other?.name ?? room.name;
}
