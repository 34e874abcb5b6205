import { uuidv7 } from 'uuidv7';
import type { RequestInput, RequestName, RoomChanges } from '../../src/protocol/index.js';
import { RoomBroadcaster } from '../../src/realtime/room-broadcaster.js';
import type { PlainClient } from '../client.js';
import { Cluster } from './cluster.js';
import type { Method } from './rest.js';

/** The requests that are about one room that is there. */
type AboutRoom = Exclude<
  RequestName,
  | 'room:create'
  | 'room:direct'
  | 'rooms:sync'
  | 'rooms:discover'
  | 'invite:accept'
  | 'auth:refresh'
  | `presence:${string}`
>;

describe('who is not in a room', () => {
  let cluster: Cluster;
  let ann: PlainClient;
  let stranger: PlainClient;
  let member: PlainClient;
  const rooms = { private: '', left: '', public: '', none: uuidv7() };

  const requests: { [E in AboutRoom]: (roomId: string) => RequestInput<E> } = {
    'room:sync': (roomId) => ({ roomId, epoch: ann.session.epoch, after: 0 }),
    'room:update': (roomId) => ({ roomId, name: 'Mine now' }),
    'room:join': (roomId) => ({ roomId }),
    'room:leave': (roomId) => ({ roomId }),
    'member:add': (roomId) => ({ roomId, userId: stranger.session.userId }),
    'room:archive': (roomId) => ({ roomId, on: true }),
    'member:update': (roomId) => ({ roomId, userId: stranger.session.userId, role: 'owner' }),
    'member:remove': (roomId) => ({ roomId, userId: member.session.userId }),
    'member:ban': (roomId) => ({ roomId, userId: member.session.userId, on: true }),
    'members:list': (roomId) => ({ roomId }),
    'bans:list': (roomId) => ({ roomId }),
    'member:shadow': (roomId) => ({ roomId, userId: member.session.userId, until: null }),
    'shadows:list': (roomId) => ({ roomId }),
    'invite:create': (roomId) => ({ roomId }),
    'invite:revoke': (roomId) => ({ roomId, inviteId: uuidv7() }),
    'invites:list': (roomId) => ({ roomId }),
    'room:request': (roomId) => ({ roomId }),
    'request:answer': (roomId) => ({ roomId, userId: stranger.session.userId, approve: true }),
    'requests:list': (roomId) => ({ roomId }),
    'filter:add': (roomId) => ({ roomId, kind: 'word', pattern: 'in', action: 'reject' }),
    'filter:remove': (roomId) => ({ roomId, filterId: uuidv7() }),
    'filters:list': (roomId) => ({ roomId }),
    'held:list': (roomId) => ({ roomId }),
    'held:answer': (roomId) => ({ roomId, heldId: uuidv7(), approve: true }),
    'message:send': (roomId) => ({ roomId, clientMsgId: uuidv7(), text: 'Let me in' }),
    'message:edit': (roomId) => ({ roomId, seq: 1, text: 'Mine' }),
    'message:delete': (roomId) => ({ roomId, seq: 1 }),
    'message:versions': (roomId) => ({ roomId, seq: 1 }),
    'message:react': (roomId) => ({ roomId, seq: 1, emoji: '👍', on: true }),
    'reactions:mine': (roomId) => ({ roomId, from: 1, to: 1 }),
    'message:pin': (roomId) => ({ roomId, seq: 1, on: true }),
    'pins:list': (roomId) => ({ roomId }),
    'message:report': (roomId) => ({ roomId, seq: 1, reason: 'spam' }),
    'reports:list': (roomId) => ({ roomId }),
    'report:answer': (roomId) => ({ roomId, seq: 1, action: 'delete' }),
    'history:get': (roomId) => ({ roomId }),
    'read:mark': (roomId) => ({ roomId, seq: 1 }),
    'reads:list': (roomId) => ({ roomId }),
    'typing:set': (roomId) => ({ roomId, on: true }),
  };
  const twins: { [E in Exclude<AboutRoom, 'room:join'>]: (roomId: string) => [Method, string, object?] } = {
    'room:sync': (roomId) => ['GET', `/v1/rooms/${roomId}/changes?after=0`],
    'room:update': (roomId) => ['PATCH', `/v1/rooms/${roomId}`, { name: 'Mine now' }],
    'room:leave': (roomId) => ['POST', `/v1/rooms/${roomId}/leave`],
    'member:add': (roomId) => ['POST', `/v1/rooms/${roomId}/members`, { userId: stranger.session.userId }],
    'room:archive': (roomId) => ['POST', `/v1/rooms/${roomId}/archive`, { on: true }],
    'member:update': (roomId) => ['PATCH', `/v1/rooms/${roomId}/members/${stranger.session.userId}`, { role: 'owner' }],
    'member:remove': (roomId) => ['DELETE', `/v1/rooms/${roomId}/members/${member.session.userId}`],
    'member:ban': (roomId) => ['POST', `/v1/rooms/${roomId}/bans`, { userId: member.session.userId, on: true }],
    'members:list': (roomId) => ['GET', `/v1/rooms/${roomId}/members`],
    'bans:list': (roomId) => ['GET', `/v1/rooms/${roomId}/bans`],
    'member:shadow': (roomId) => [
      'POST',
      `/v1/rooms/${roomId}/shadows`,
      { userId: member.session.userId, until: null },
    ],
    'shadows:list': (roomId) => ['GET', `/v1/rooms/${roomId}/shadows`],
    'invite:create': (roomId) => ['POST', `/v1/rooms/${roomId}/invites`, {}],
    'invite:revoke': (roomId) => ['DELETE', `/v1/rooms/${roomId}/invites/${uuidv7()}`],
    'invites:list': (roomId) => ['GET', `/v1/rooms/${roomId}/invites`],
    'room:request': (roomId) => ['POST', `/v1/rooms/${roomId}/request`, {}],
    'request:answer': (roomId) => [
      'POST',
      `/v1/rooms/${roomId}/requests/${stranger.session.userId}`,
      { approve: true },
    ],
    'requests:list': (roomId) => ['GET', `/v1/rooms/${roomId}/requests`],
    'filter:add': (roomId) => [
      'POST',
      `/v1/rooms/${roomId}/filters`,
      { kind: 'word', pattern: 'in', action: 'reject' },
    ],
    'filter:remove': (roomId) => ['DELETE', `/v1/rooms/${roomId}/filters/${uuidv7()}`],
    'filters:list': (roomId) => ['GET', `/v1/rooms/${roomId}/filters`],
    'held:list': (roomId) => ['GET', `/v1/rooms/${roomId}/held`],
    'held:answer': (roomId) => ['POST', `/v1/rooms/${roomId}/held/${uuidv7()}`, { approve: true }],
    'message:send': (roomId) => ['POST', `/v1/rooms/${roomId}/messages`, { clientMsgId: uuidv7(), text: 'Let me in' }],
    'message:edit': (roomId) => ['PATCH', `/v1/rooms/${roomId}/messages/1`, { text: 'Mine' }],
    'message:versions': (roomId) => ['GET', `/v1/rooms/${roomId}/messages/1/versions`],
    'message:react': (roomId) => ['POST', `/v1/rooms/${roomId}/messages/1/reactions`, { emoji: '👍', on: true }],
    'reactions:mine': (roomId) => ['GET', `/v1/rooms/${roomId}/reactions?from=1&to=1`],
    'message:pin': (roomId) => ['POST', `/v1/rooms/${roomId}/messages/1/pin`, { on: true }],
    'pins:list': (roomId) => ['GET', `/v1/rooms/${roomId}/pins`],
    'message:delete': (roomId) => ['DELETE', `/v1/rooms/${roomId}/messages/1`],
    'message:report': (roomId) => ['POST', `/v1/rooms/${roomId}/messages/1/report`, { reason: 'spam' }],
    'reports:list': (roomId) => ['GET', `/v1/rooms/${roomId}/reports`],
    'report:answer': (roomId) => ['POST', `/v1/rooms/${roomId}/messages/1/report/answer`, { action: 'delete' }],
    'history:get': (roomId) => ['GET', `/v1/rooms/${roomId}/messages`],
    'read:mark': (roomId) => ['POST', `/v1/rooms/${roomId}/reads`, { seq: 1 }],
    'reads:list': (roomId) => ['GET', `/v1/rooms/${roomId}/reads`],
    'typing:set': (roomId) => ['POST', `/v1/rooms/${roomId}/typing`, { on: true }],
  };
  const events = Object.keys(requests) as AboutRoom[];
  const closed = events.filter((event): event is keyof typeof twins => event !== 'room:join');

  beforeAll(async () => {
    cluster = await Cluster.start(1);
    [ann, stranger, member] = [
      await cluster.connect('ann'),
      await cluster.connect('eve'),
      await cluster.connect('ben'),
    ];
    rooms.public = (await ann.ask('room:create', { name: 'Open' })).room.id;
    rooms.private = (await ann.ask('room:create', { name: 'Closed', visibility: 'private' })).room.id;
    rooms.left = (await ann.ask('room:create', { name: 'Left', visibility: 'private' })).room.id;
    await ann.ask('member:add', { roomId: rooms.left, userId: stranger.session.userId });
    for (const roomId of [rooms.private, rooms.public])
      await ann.ask('member:add', { roomId, userId: member.session.userId });
    await stranger.ask('message:send', { roomId: rooms.left, clientMsgId: 'mine', text: 'Once mine' });
    await stranger.ask('room:leave', { roomId: rooms.left });
    for (const roomId of [rooms.private, rooms.public])
      await ann.ask('message:send', { roomId, clientMsgId: 'first', text: 'Among us' });
  });
  afterAll(() => cluster.stop());

  it.each(events)(
    'is told by %s that there is no such private room, as of one that does not exist (S-21, S-58)',
    async (event) => {
      const ask = async (roomId: string) => stranger.refusal(event, requests[event](roomId));
      const none = await ask(rooms.none);
      expect(none.code).toBe('not_found');
      expect(await ask(rooms.private)).toEqual(none);
      expect(await ask(rooms.left)).toEqual(none);
    },
  );

  it.each(closed)('is told by %s that a public room is to be joined first (S-21)', async (event) => {
    expect((await stranger.refusal(event, requests[event](rooms.public) as never)).code).toBe('not_member');
  });

  it.each(closed)('is told by the REST twin of %s the same (S-21)', async (event) => {
    const rest = await cluster.rest('eve');
    const none = await rest.refused(...twins[event](rooms.none));
    expect([none.code, none.status]).toEqual(['not_found', 404]);
    for (const roomId of [rooms.private, rooms.left]) expect(await rest.refused(...twins[event](roomId))).toEqual(none);
    const joinable = await rest.refused(...twins[event](rooms.public));
    expect([joinable.code, joinable.status]).toEqual(['not_member', 403]);
  });

  it('finds no private room in what is listed, and knows of none by a cursor (S-23, S-58)', async () => {
    const { items } = await stranger.ask('rooms:discover', {});
    expect(items.map(({ name }) => name)).toEqual(['Open']);
    const asked = [rooms.private, rooms.left, rooms.public, rooms.none];
    const synced = await stranger.ask('rooms:sync', {
      epoch: ann.session.epoch,
      cursors: Object.fromEntries(asked.map((roomId) => [roomId, 1])),
    });
    expect(synced.rooms).toEqual([]);
    expect(synced.gone.toSorted()).toEqual(asked.toSorted());
    const rest = await cluster.rest('eve');
    for (const roomId of [rooms.private, rooms.none])
      expect((await rest.refused('GET', `/v1/rooms/${roomId}`)).code).toBe('not_found');
    expect((await rest.refused('POST', `/v1/rooms/${rooms.private}/join`)).code).toBe('not_found');
  });

  it('changed nothing with all that, and hears nothing (S-21)', async () => {
    for (const roomId of [rooms.private, rooms.public]) {
      const { messages } = await member.ask('history:get', { roomId });
      expect(messages.map(({ text, deletedAt }) => [text, deletedAt])).toEqual([['Among us', null]]);
      await ann.ask('message:send', { roomId, clientMsgId: 'last', text: 'Still among us' });
      await member.until(() => member.textsOf(roomId).includes('Still among us'));
    }
    // A round trip more: what was sent to the stranger before has arrived with it.
    await stranger.ask('rooms:discover', {});
    expect(stranger.textsOf(rooms.private)).toEqual([]);
    expect(stranger.textsOf(rooms.public)).toEqual([]);
    expect(stranger.changesOf(rooms.left).at(-1)).toMatchObject({ kind: 'member', member: { user: { name: 'eve' } } });
  });
});

describe('who leaves', () => {
  let cluster: Cluster;
  beforeAll(async () => (cluster = await Cluster.start(2)));
  afterAll(() => cluster.stop());

  it('is sent his leaving as the last change, and nothing that was committed together with it (S-22)', async () => {
    const [owner, heir] = [await cluster.connect('olaf'), await cluster.connect('hank')];
    const { room } = await owner.ask('room:create', { name: 'Inherited' });
    await heir.ask('room:join', { roomId: room.id });
    const { member } = await owner.ask('room:leave', { roomId: room.id });
    await heir.until(() => heir.changesOf(room.id).some(({ rev }) => rev > member.rev));
    await owner.until(() => owner.changesOf(room.id).some(({ rev }) => rev === member.rev));
    expect(owner.frames.map(({ upTo }) => upTo).every((upTo) => upTo <= member.rev)).toBe(true);
    expect(heir.changesOf(room.id).map(({ rev }) => rev)).toEqual([member.rev, member.rev + 1]);
  });

  it('is not sent what followed, by an instance that learns of both at once (S-22)', async () => {
    const [ann, ben, far] = [
      await cluster.connect('ann'),
      await cluster.connect('ben'),
      await cluster.connect('ben', 1),
    ];
    const { room } = await ann.ask('room:create', { name: 'Busy' });
    await ben.ask('room:join', { roomId: room.id });
    await far.until(() => far.signals.some(({ kind }) => kind === 'roomAdded'));
    type Receive = (frames: RoomChanges[]) => void;
    const broadcaster = cluster.instance(1).app.get<unknown, { receive: Receive }>(RoomBroadcaster);
    const receive: Receive = broadcaster.receive.bind(broadcaster);
    const late: RoomChanges[] = [];
    broadcaster.receive = (frames) => void late.push(...frames);
    const { member } = await ben.ask('room:leave', { roomId: room.id });
    await ann.ask('message:send', { roomId: room.id, clientMsgId: 'm', text: 'Now that he is gone' });
    await cluster.eventually(() => late.length === 2);
    const [left, said] = late as [RoomChanges, RoomChanges];
    receive([{ ...left, upTo: said.upTo, changes: [...left.changes, ...said.changes] }]);
    await far.until(() => far.changesOf(room.id).length > 0);
    await far.ask('rooms:discover', {});
    expect(far.changesOf(room.id).map(({ rev }) => rev)).toEqual([member.rev]);
  });
});
