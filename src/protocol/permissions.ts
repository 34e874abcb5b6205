import { z } from 'zod';

/** What a member may be in a room, from the most to the least. A reader sees everything and sends nothing. */
export const Role = z.enum(['owner', 'moderator', 'member', 'reader']);
export type Role = z.output<typeof Role>;

const owners: readonly Role[] = ['owner'];
const moderators: readonly Role[] = ['owner', 'moderator'];
const speakers: readonly Role[] = ['owner', 'moderator', 'member'];
const everyone: readonly Role[] = Role.options;

/**
 * Which roles may do what in a room: the only place that says so. Who is no member of the room may do none of it.
 * What acts on a member also asks for a rank above his (`mayTouch`).
 */
export const permissions = {
  'room:read': everyone,
  'room:leave': everyone,
  'room:update': moderators,
  /** Visibility, announcements, member limit and how far back new members see. */
  'room:govern': owners,
  'room:archive': owners,
  'member:list': everyone,
  'member:add': moderators,
  'member:remove': moderators,
  'member:mute': moderators,
  'member:ban': moderators,
  'ban:list': moderators,
  'member:shadow': moderators,
  'shadow:list': moderators,
  /** Between the roles below one's own, for who is no owner. */
  'member:role': moderators,
  'invite:create': moderators,
  'invite:list': moderators,
  'invite:revoke': moderators,
  'request:list': moderators,
  'request:answer': moderators,
  'filter:add': moderators,
  'filter:remove': moderators,
  'held:list': moderators,
  'held:answer': moderators,
  'filter:list': moderators,
  'message:send': speakers,
  /** In a room that is read-only. */
  'message:announce': moderators,
  /** Not held to the room's slow mode. */
  'message:hurry': moderators,
  'message:editOwn': speakers,
  'message:deleteOwn': everyone,
  'message:deleteOthers': moderators,
  'message:react': speakers,
  'message:pin': moderators,
  'message:report': everyone,
  'report:list': moderators,
  'report:answer': moderators,
  'message:versions': moderators,
  /** Everyone in the room at once. */
  'message:mentionRoom': moderators,
} as const satisfies Record<string, readonly Role[]>;

export type Action = keyof typeof permissions;

export function may(role: Role, action: Action): boolean {
  return permissions[action].includes(role);
}

/** Whether a member of this role may act on one of another: owners on anybody, others on those below them. */
export function mayTouch(role: Role, other: Role): boolean {
  return role === 'owner' || Role.options.indexOf(role) < Role.options.indexOf(other);
}
