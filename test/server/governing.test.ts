import type { RoomChanges } from '../../src/protocol/index.js';
import type { PlainClient } from '../client.js';
import { Cluster } from './cluster.js';

let cluster: Cluster;
beforeAll(async () => (cluster = await Cluster.start(2)));
afterEach(() => cluster.hangUp());
afterAll(() => cluster.stop());

const later = '2099-01-01T00:00:00.000Z';

/** Ann, who owns the room, and ben, who is on the other instance. */
async function pair(
  settings: object = {},
): Promise<{ ann: PlainClient; ben: PlainClient; roomId: string; userId: string }> {
  const [ann, ben] = [await cluster.connect('ann'), await cluster.connect('ben', 1)];
  const { room } = await ann.ask('room:create', { name: 'Governed', ...settings });
  await ben.ask('room:join', { roomId: room.id });
  return { ann, ben, roomId: room.id, userId: ben.session.userId };
}

let sends = 0;
const say = (roomId: string, text: string) => ({ roomId, clientMsgId: `m${++sends}`, text });

describe('who is removed or banned', () => {
  it('hears no more on any instance, and his devices are told (S-22)', async () => {
    const { ann, ben, roomId, userId } = await pair();
    const here = await cluster.connect('ben');
    await ann.ask('member:remove', { roomId, userId });
    for (const device of [ben, here]) await device.until(() => device.signals.at(-1)?.kind === 'roomRemoved');
    expect((await ben.refusal('message:send', say(roomId, 'Still here'))).code).toBe('not_member');
    await ben.ask('room:join', { roomId });
    await ben.until(() => ben.signals.at(-1)?.kind === 'roomAdded');
    const { ban } = await ann.ask('member:ban', { roomId, userId, on: true, until: later, reason: 'Loud' });
    expect(ban).toMatchObject({ roomId, user: { id: userId, name: 'ben' }, reason: 'Loud', until: later });
    for (const device of [ben, here]) await device.until(() => device.signals.at(-1)?.kind === 'roomRemoved');
    await ann.ask('message:send', say(roomId, 'Without him'));
    await ann.until(() => ann.textsOf(roomId).includes('Without him'));
    for (const device of [ben, here]) {
      await device.ask('rooms:discover', {});
      const heard = device.frames.flatMap(({ changes }) => changes);
      expect(heard.some((change) => change.kind === 'message' && change.message.text === 'Without him')).toBe(false);
    }
  });

  it('cannot come back while the ban holds (S-21)', async () => {
    const { ann, ben, roomId, userId } = await pair({ visibility: 'public' });
    const { code } = await ann.ask('invite:create', { roomId });
    await ann.ask('member:ban', { roomId, userId, on: true });
    expect((await ann.ask('bans:list', { roomId })).items).toMatchObject([{ user: { name: 'ben' }, until: null }]);
    const refusals = [
      await ben.refusal('room:join', { roomId }),
      await ben.refusal('invite:accept', { code }),
      await ann.refusal('member:add', { roomId, userId }),
      await ben.refusal('message:send', say(roomId, 'Let me in')),
    ];
    expect(refusals.map((refusal) => refusal.code)).toEqual(Array(4).fill('banned'));
    await ann.ask('room:update', { roomId, visibility: 'private' });
    expect((await ben.refusal('room:join', { roomId })).code).toBe('banned');
    await ann.ask('member:ban', { roomId, userId, on: true, until: '2020-01-01T00:00:00.000Z' });
    expect((await ann.ask('bans:list', { roomId })).items).toEqual([]);
    expect((await ben.ask('invite:accept', { code })).member.leftAt).toBeNull();
    await ann.ask('member:ban', { roomId, userId, on: true });
    expect((await ann.ask('member:ban', { roomId, userId, on: false })).ban).toBeNull();
    expect((await ann.ask('member:add', { roomId, userId })).member.leftAt).toBeNull();
  });
});

describe('a send', () => {
  it('is refused to who is muted, until he is not', async () => {
    const { ann, ben, roomId, userId } = await pair();
    const { member } = await ann.ask('member:update', { roomId, userId, mutedUntil: later });
    expect(member.mutedUntil).toBe(later);
    expect((await ben.refusal('message:send', say(roomId, 'Hello'))).code).toBe('muted');
    await ann.ask('member:update', { roomId, userId, mutedUntil: null });
    await ben.ask('message:send', say(roomId, 'Hello'));
    await ann.ask('member:update', { roomId, userId, mutedUntil: '2020-01-01T00:00:00.000Z' });
    await ben.ask('message:send', say(roomId, 'Hello again'));
  });

  it('is for owners and moderators alone in a room of announcements', async () => {
    const { ann, ben, roomId, userId } = await pair({ readOnly: true });
    await ann.ask('message:send', say(roomId, 'Announced'));
    expect((await ben.refusal('message:send', say(roomId, 'Hello'))).code).toBe('forbidden');
    await ann.ask('member:update', { roomId, userId, role: 'moderator' });
    await ben.ask('message:send', say(roomId, 'Hello'));
  });

  it('comes too soon in slow mode, also beside another in one batch', async () => {
    const { ann, ben, roomId, userId } = await pair({ slowModeS: 600 });
    const first = say(roomId, 'First');
    const replies = await Promise.all([first, say(roomId, 'At once')].map((send) => ben.reply('message:send', send)));
    expect(replies.map((reply) => (reply.ok ? 'ok' : reply.error.code))).toEqual(['ok', 'slow_mode']);
    const refusal = await ben.refusal('message:send', say(roomId, 'Soon'));
    expect(refusal).toMatchObject({ code: 'slow_mode', retryable: true });
    expect(refusal.retryAfterMs).toBeGreaterThan(590_000);
    expect(refusal.retryAfterMs).toBeLessThanOrEqual(600_000);
    expect((await ben.ask('message:send', first)).duplicate).toBe(true);
    for (const text of ['One', 'Two']) await ann.ask('message:send', say(roomId, text));
    await cluster.query(`update memberships set last_sent_at = last_sent_at - interval '10 min' where user_id = $1`, [
      userId,
    ]);
    await ben.ask('message:send', say(roomId, 'Later'));
    await ann.ask('room:update', { roomId, slowModeS: 0 });
    await ben.ask('message:send', say(roomId, 'At any time'));
  });
});

describe('a direct room', () => {
  it('is one for a pair, whoever asks, however often and wherever at once', async () => {
    const [ann, ben] = [await cluster.connect('ann'), await cluster.connect('ben', 1)];
    const [his, hers] = [{ userId: ben.session.userId }, { userId: ann.session.userId }];
    const asked = await Promise.all(
      Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? ann.ask('room:direct', his) : ben.ask('room:direct', hers))),
    );
    const roomId = asked[0]?.room.id ?? '';
    expect(new Set(asked.map(({ room }) => room.id))).toEqual(new Set([roomId]));
    expect(asked[0]?.room).toMatchObject({ kind: 'direct', visibility: 'private' });
    expect((await ann.ask('members:list', { roomId })).items.map(({ role }) => role)).toEqual(['member', 'member']);
    await ben.until(() => ben.signals.some(({ kind }) => kind === 'roomAdded'));
    await ben.ask('room:leave', { roomId });
    expect((await ann.ask('room:direct', his)).room.id).toBe(roomId);
    await ben.ask('message:send', say(roomId, 'Back again'));
    expect((await ann.refusal('member:remove', { roomId, ...his })).code).toBe('forbidden');
    expect((await ann.refusal('room:direct', hers)).code).toBe('invalid_argument');
  });
});

describe('a room', () => {
  it('tells its settings, and is archived and brought back', async () => {
    const { ann, ben, roomId } = await pair({ meta: { color: 'red', tags: ['a'] }, memberLimit: 2 });
    const settings = { slowModeS: 5, readOnly: true, historyVisible: 'joined', joinRequests: true } as const;
    const { room } = await ann.ask('room:update', { roomId, ...settings });
    expect(room).toMatchObject({ ...settings, meta: { color: 'red', tags: ['a'] }, memberLimit: 2 });
    expect((await ann.ask('room:update', { roomId, meta: { tags: ['a'], color: 'red' } })).room.rev).toBe(room.rev);
    const cid = await cluster.connect('cid');
    expect((await cid.refusal('room:join', { roomId })).code).toBe('room_full');
    expect((await ann.ask('room:archive', { roomId, on: true })).room.archivedAt).not.toBeNull();
    expect((await ann.refusal('message:send', say(roomId, 'Late'))).code).toBe('room_archived');
    await ann.ask('room:archive', { roomId, on: false });
    await ann.ask('message:send', say(roomId, 'Back'));
    await ben.until(() => ben.textsOf(roomId).includes('Back'));
    const told = ben
      .changesOf(roomId)
      .flatMap((change) => (change.kind === 'room' ? [change.room.archivedAt !== null] : []));
    expect(told).toEqual([false, true, false]);
    const counts = ann.changesOf(roomId).flatMap((change) => (change.kind === 'member' ? [change.memberCount] : []));
    expect(counts.at(-1)).toBe(2);
  });

  it('shows who joins nothing of before, by whatever way he asks, where that is so', async () => {
    const ann = await cluster.connect('ann');
    const { id: roomId } = (await ann.ask('room:create', { name: 'From now on', historyVisible: 'joined' })).room;
    for (const text of ['1', '2', '3']) await ann.ask('message:send', say(roomId, text));
    const [ben, near] = [await cluster.connect('ben', 1), await cluster.connect('cid')];
    expect((await ben.ask('room:join', { roomId })).member.visibleAfter).toBe(3);
    await near.ask('room:join', { roomId });
    const empty = await ben.ask('room:sync', { roomId });
    if (!empty.reset) throw new Error('Was no snapshot');
    expect([empty.messages, empty.hasBefore]).toEqual([[], false]);
    await ann.ask('message:delete', { roomId, seq: 2 });
    await ann.ask('message:send', say(roomId, '4'));
    for (const client of [ann, ben, near]) await client.until(() => client.textsOf(roomId).includes('4'));
    const seqsOf = (changes: RoomChanges['changes']) =>
      changes.flatMap((change) => (change.kind === 'message' ? [change.message.seq] : []));
    expect(seqsOf(ann.changesOf(roomId))).toEqual([1, 2, 3, 2, 4]);
    for (const client of [ben, near]) expect(seqsOf(client.changesOf(roomId))).toEqual([4]);
    const texts = async (span: object) =>
      (await ben.ask('history:get', { roomId, ...span })).messages.map(({ text }) => text);
    for (const span of [{}, { before: 9 }, { after: 0 }, { around: 2 }, { around: 4 }])
      expect(await texts(span)).toEqual(['4']);
    expect(await texts({ before: 3 })).toEqual([]);
    const { epoch } = ben.session;
    const missed = await ben.ask('room:sync', { roomId, epoch, after: 7 });
    if (missed.reset) throw new Error('Was a snapshot');
    expect(seqsOf(missed.changes)).toEqual([4]);
    // A cursor from before the joining: what the client holds from then is not for him any more.
    expect((await ben.ask('room:sync', { roomId, epoch, after: 2 })).reset).toBe(true);
    const all = await ben.ask('rooms:sync', { epoch, cursors: { [roomId]: 2 } });
    expect(all.rooms.filter((synced) => synced.roomId === roomId)).toMatchObject([
      { reset: true, messages: [{ text: '4' }], hasBefore: false },
    ]);
    await ann.ask('room:update', { roomId, historyVisible: 'all' });
    const dan = await cluster.connect('dan');
    await dan.ask('room:join', { roomId });
    expect((await dan.ask('history:get', { roomId })).messages.length).toBe(4);
  });
});

describe('who wants to come in', () => {
  it('joins by an invite, as often and as long as it holds', async () => {
    const { ann, ben, roomId } = await pair({ visibility: 'public' });
    await ann.ask('room:update', { roomId, visibility: 'private' });
    const { invite, code } = await ann.ask('invite:create', { roomId, maxUses: 1 });
    const stored = await cluster.query<{ hash: string }>(
      `select encode(code_hash, 'escape') as hash from room_invites`,
    );
    expect(stored.every(({ hash }) => !hash.includes(code))).toBe(true);
    await ben.ask('invite:accept', { code });
    expect((await ann.ask('invites:list', { roomId })).items).toMatchObject([{ id: invite.id, uses: 0, maxUses: 1 }]);
    const comers = await Promise.all(['cid', 'dan', 'eve'].map((name, i) => cluster.connect(name, i % 2)));
    const replies = await Promise.all(comers.map((comer) => comer.reply('invite:accept', { code })));
    expect(replies.map((reply) => (reply.ok ? 'ok' : reply.error.code)).toSorted()).toEqual([
      'not_found',
      'not_found',
      'ok',
    ]);
    expect((await ann.ask('invites:list', { roomId })).items).toEqual([]);
    const other = await ann.ask('invite:create', { roomId });
    await ann.ask('invite:revoke', { roomId, inviteId: other.invite.id });
    const fay = await cluster.connect('fay');
    expect((await fay.refusal('invite:accept', { code: other.code })).code).toBe('not_found');
    const old = await ann.ask('invite:create', { roomId });
    await cluster.query(`update room_invites set expires_at = now() where id = $1`, [old.invite.id]);
    expect((await fay.refusal('invite:accept', { code: old.code })).code).toBe('not_found');
  });

  it('asks to join a private room, and is let in or not', async () => {
    const [ann, ben] = [await cluster.connect('ann'), await cluster.connect('ben', 1)];
    const { id: roomId } = (await ann.ask('room:create', { name: 'Ask', visibility: 'private', joinRequests: true }))
      .room;
    const userId = ben.session.userId;
    const { request } = await ben.ask('room:request', { roomId });
    expect(await ben.ask('room:request', { roomId })).toEqual({ request });
    expect((await ann.ask('requests:list', { roomId })).items).toEqual([request]);
    expect((await ben.refusal('room:join', { roomId })).code).toBe('not_found');
    expect((await ann.ask('request:answer', { roomId, userId, approve: false })).member).toBeNull();
    expect((await ann.refusal('request:answer', { roomId, userId, approve: true })).code).toBe('not_found');
    await ben.ask('room:request', { roomId });
    expect((await ben.ask('room:request', { roomId, on: false })).request).toBeNull();
    expect((await ann.ask('requests:list', { roomId })).items).toEqual([]);
    await ben.ask('room:request', { roomId });
    expect((await ann.ask('request:answer', { roomId, userId, approve: true })).member?.user.name).toBe('ben');
    await ben.until(() => ben.signals.some(({ kind }) => kind === 'roomAdded'));
    expect((await ben.refusal('room:request', { roomId })).code).toBe('conflict');
  });
});
