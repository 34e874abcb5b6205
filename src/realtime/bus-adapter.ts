import { createAdapter, createShardedAdapter } from '@socket.io/redis-adapter';
import { MessageType } from 'socket.io-adapter';
import type { ServerOptions } from 'socket.io';
import type { Config } from '../config.js';
import type { RoomChanges } from '../protocol/index.js';
import type { RedisBus } from './redis-bus.js';
import type { SignalNote } from './signal-note.js';
import { roomChannel, userChannel } from './room-names.js';

/** The Socket.IO adapter on the bus, of the kind that the configuration names. */
export function busAdapter(bus: RedisBus, redis: NonNullable<Config['redis']>): ServerOptions['adapter'] {
  const create = redis.adapter === 'sharded' ? shardedAdapter : classicAdapter;
  // Socket.IO calls it with `new`, which an arrow function does not allow.
  return function (namespace: unknown) {
    return create(bus, redis.prefix, namespace);
  } as never;
}

/** Lets go of the promise that reading a request gives: what cannot be read would be an unhandled rejection, and end the process. */
function classicAdapter(bus: RedisBus, prefix: string, namespace: unknown): object {
  const adapter = createAdapter(bus.publisher, bus.subscriber, { key: prefix })(namespace);
  const internals = adapter as unknown as { onrequest: (channel: string, message: Buffer) => Promise<void> };
  const read = internals.onrequest.bind(adapter);
  internals.onrequest = (channel, message) => read(channel, message).catch(() => bus.noteJunk());
  return adapter;
}

interface ClusterMessage {
  type: MessageType;
  uid: string;
  nsp: string;
  data?: { packet?: unknown };
}

interface ShardedInternals {
  doPublish: (message: ClusterMessage) => Promise<string>;
  emit: (event: string, room: string) => boolean;
}

/**
 * The sharded adapter, with a channel for each room, so that an instance hears only of rooms that it has sockets in:
 *
 * - It would deliver to the sockets of its own instance when Redis has taken the publish; here it does at once.
 * - It would send what one flush changed to every instance; here each room's changes go by the room's channel, and to those
 *   whom they make a member by theirs, because their devices may be where the room has no sockets.
 * - A subscription is not active when a join returns. `room-heard` tells the Socket.IO room whose subscription is now: what
 *   was published before may have been missed.
 */
function shardedAdapter(bus: RedisBus, prefix: string, namespace: unknown): object {
  const adapter = createShardedAdapter(bus.publisher, bus.subscriber, { channelPrefix: prefix })(namespace);
  const internals = adapter as unknown as ShardedInternals;
  const begin = `${prefix}#/#`;
  const publish = internals.doPublish.bind(adapter);
  internals.doPublish = (message) => {
    const packet = message.type === MessageType.SERVER_SIDE_EMIT ? message.data?.packet : undefined;
    const [event, frames] = Array.isArray(packet) ? (packet as unknown[]) : [];
    if (event !== 'changes' && event !== 'signals') void publish(message);
    else
      for (const frame of frames as (RoomChanges | SignalNote)[]) {
        const text = JSON.stringify({ ...message, data: { packet: [event, [frame]] } });
        for (const room of 'changes' in frame ? concerned(frame) : [roomChannel(frame.roomId)])
          void bus.publisher.sPublish(`${begin}${room}#`, text);
      }
    return Promise.resolve('');
  };
  bus.onSubscribed((channel) => {
    if (channel.startsWith(begin)) internals.emit('room-heard', channel.slice(begin.length, -1));
  });
  return adapter;
}

/** The Socket.IO rooms whose instances need to know of a frame. */
function concerned({ roomId, changes }: RoomChanges): string[] {
  const joined = changes.flatMap((change) =>
    change.kind === 'member' && change.member.leftAt === null ? [userChannel(change.member.user.id)] : [],
  );
  return [roomChannel(roomId), ...joined];
}
