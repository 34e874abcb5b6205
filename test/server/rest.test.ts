import { z } from 'zod';
import { uuidv7 } from 'uuidv7';
import {
  GuestSession,
  HistoryPage,
  limits,
  MemberPage,
  MemberResult,
  MessageResult,
  RoomAndMember,
  RoomPage,
  RoomResult,
  RoomsSynced,
  RoomSummary,
  RoomSynced,
  SentMessage,
} from '../../src/protocol/index.js';
import { PlainClient } from '../client.js';
import { Cluster } from './cluster.js';
import { problemOf, Rest, type Method } from './rest.js';

const MyRooms = z.object({ items: z.array(RoomSummary) });
let cluster: Cluster;
let ann: Rest;
let ben: Rest;
beforeAll(async () => {
  cluster = await Cluster.start(1);
  [ann, ben] = [await cluster.rest('ann'), await cluster.rest('ben')];
});
afterEach(() => cluster.hangUp());
afterAll(() => cluster.stop());

const roomOf = async (rest: Rest, name = 'Room') =>
  (await rest.ok('POST', '/v1/rooms', RoomAndMember, { name, topic: '', visibility: 'public' })).room.id;

describe('REST', () => {
  it('does without a socket all that there is to do, and clients with one see it live', async () => {
    const watcher = await cluster.connect('ann');
    const { id: benId } = { id: (await cluster.connect('ben')).session.userId };
    const roomId = uuidv7();
    const made = await ann.ok('POST', '/v1/rooms', RoomAndMember, { roomId, name: 'By REST', visibility: 'private' });
    expect(made).toMatchObject({ room: { id: roomId, visibility: 'private', topic: '' }, member: { role: 'owner' } });
    expect(await ann.ok('POST', '/v1/rooms', RoomAndMember, { roomId, name: 'Again' })).toEqual(made);
    const path = `/v1/rooms/${roomId}`;
    expect((await ann.ok('POST', `${path}/members`, MemberResult, { userId: benId })).member.rev).toBe(3);
    expect((await ann.ok('PATCH', path, RoomResult, { name: 'Renamed' })).room).toMatchObject({
      rev: 4,
      name: 'Renamed',
    });
    const sent = await ben.ok('POST', `${path}/messages`, SentMessage, { clientMsgId: 'a', text: 'Hello' });
    expect(sent).toMatchObject({ duplicate: false, message: { seq: 1, rev: 5, text: 'Hello' } });
    expect((await ben.ok('DELETE', `${path}/messages/1`, MessageResult)).message).toMatchObject({ rev: 6, text: '' });
    expect((await ben.ok('POST', `${path}/leave`, RoomAndMember)).member).toMatchObject({ rev: 7 });
    await watcher.until(() => watcher.changesOf(roomId).at(-1)?.rev === 7);
    expect(watcher.changesOf(roomId).map(({ rev, kind }) => `${rev} ${kind}`)).toEqual([
      '3 member',
      '4 room',
      '5 message',
      '6 message',
      '7 member',
    ]);

    expect(await ann.ok('GET', path, RoomSummary)).toMatchObject({
      name: 'Renamed',
      memberCount: 1,
      lastSeq: 1,
      headRev: 7,
    });
    expect((await ann.ok('GET', '/v1/rooms', MyRooms)).items.map(({ id }) => id)).toEqual([roomId]);
    expect((await ben.ok('GET', '/v1/rooms', MyRooms)).items).toEqual([]);
    expect((await ann.ok('GET', `${path}/members`, MemberPage)).items.map(({ user }) => user.name)).toEqual(['ann']);
    const { epoch } = watcher.session;
    const changes = await ann.ok('GET', `${path}/changes?epoch=${epoch}&after=5&limit=1`, RoomSynced);
    expect(changes).toMatchObject({ reset: false, after: 5, upTo: 6, more: true });
    expect(changes).toEqual(await watcher.ask('room:sync', { roomId, epoch, after: 5, limit: 1 }));
    const synced = await ann.ok('POST', '/v1/sync', RoomsSynced, { epoch, cursors: { [roomId]: 6 } });
    expect(synced).toEqual(await watcher.ask('rooms:sync', { epoch, cursors: { [roomId]: 6 } }));
  });

  it('joins public rooms, which it finds page by page (S-35)', async () => {
    const names = [
      'Alpha 100%',
      'alpha_2',
      'ALPHA 3',
      'Ärger',
      '字'.repeat(limits.roomNameLength),
      `${'字'.repeat(79)}x`,
    ];
    for (const name of names) await roomOf(ann, name);
    const find = async (query: string) =>
      (await ben.ok('GET', `/v1/rooms/discover?query=${encodeURIComponent(query)}`, RoomPage)).items.map(
        ({ name }) => name,
      );
    expect(await find('alpha')).toEqual(['Alpha 100%', 'ALPHA 3', 'alpha_2']);
    expect(await find('100%')).toEqual(['Alpha 100%']);
    expect(await find('%')).toEqual(['Alpha 100%']);
    expect(await find('_')).toEqual(['alpha_2']);
    expect(await find('\\')).toEqual([]);
    expect(await find('äRG')).toEqual(['Ärger']);
    expect(await find('A\u0308rg')).toEqual(['Ärger']);
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: RoomPage = await ben.ok(
        'GET',
        `/v1/rooms/discover?limit=1${cursor && `&cursor=${cursor}`}`,
        RoomPage,
      );
      expect(page.items.length).toBe(1);
      seen.push(...page.items.map(({ name }) => name));
      cursor = page.nextCursor;
    }
    const all = (await ben.ok('GET', '/v1/rooms/discover?limit=200', RoomPage)).items;
    expect(seen).toEqual(all.map(({ name }) => name));
    expect(seen).toEqual(expect.arrayContaining(names));
    const roomId = all[0]?.id ?? '';
    expect((await ben.ok('POST', `/v1/rooms/${roomId}/join`, RoomAndMember)).member.role).toBe('member');
  });

  it('pages through history and members', async () => {
    const roomId = await roomOf(ann);
    const people = await Promise.all([1, 2, 3, 4, 5].map((i) => cluster.rest(`member-${i}`)));
    for (const [i, person] of people.entries()) {
      await person.ok('POST', `/v1/rooms/${roomId}/join`, RoomAndMember);
      await person.ok('POST', `/v1/rooms/${roomId}/messages`, SentMessage, { clientMsgId: 'a', text: `${i + 1}` });
    }
    const page = async (query: string) => {
      const { messages, hasBefore, hasAfter } = await ann.ok(
        'GET',
        `/v1/rooms/${roomId}/messages${query}`,
        HistoryPage,
      );
      return [messages.map(({ text }) => text).join(''), hasBefore, hasAfter];
    };
    expect(await page('')).toEqual(['12345', false, false]);
    expect(await page('?limit=2')).toEqual(['45', true, false]);
    expect(await page('?before=4&limit=2')).toEqual(['23', true, true]);
    expect(await page('?after=1&limit=2')).toEqual(['23', true, true]);
    expect(await page('?around=3&limit=3')).toEqual(['234', true, true]);
    const names: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const path = `/v1/rooms/${roomId}/members?limit=4${cursor && `&cursor=${cursor}`}`;
      const members: MemberPage = await ann.ok('GET', path, MemberPage);
      names.push(...members.items.map(({ user }) => user.name));
      cursor = members.nextCursor;
    }
    expect(names.toSorted()).toEqual(['ann', ...[1, 2, 3, 4, 5].map((i) => `member-${i}`)]);
  });

  it('lets guests in by their name where they are on, and not where they are off', async () => {
    const anyone = new Rest(cluster.instance(0).url);
    const guest = await anyone.ok('POST', '/v1/guests', GuestSession, { name: '  Zoë ' });
    expect(guest.user.name).toBe('Zoë');
    expect(Date.parse(guest.expiresAt)).toBeGreaterThan(Date.now() + 24 * 3600 * 1000);
    const client = await PlainClient.connect(anyone.url, '', { token: guest.token });
    expect(client.session.userId).toBe(guest.user.id);
    client.close();
    const again = await anyone.ok('POST', '/v1/guests', GuestSession, { name: 'Zoë' });
    expect(again.user.id).not.toBe(guest.user.id);
    expect((await anyone.refused('POST', '/v1/guests', { name: ' ' })).code).toBe('invalid_argument');

    const renewed = await new Rest(anyone.url, guest.token).ok('POST', '/v1/guests/renew', GuestSession);
    expect(renewed.user).toEqual(guest.user);
    const back = await PlainClient.connect(anyone.url, '', { token: renewed.token });
    expect(back.session.userId).toBe(guest.user.id);
    expect((await back.ask('auth:refresh', { token: guest.token })).tokenExpiresAt).toBe(guest.expiresAt);
    expect((await back.refusal('auth:refresh', { token: again.token })).code).toBe('forbidden');
    back.close();
    expect((await anyone.refused('POST', '/v1/guests/renew')).code).toBe('unauthenticated');
    expect((await (await cluster.rest('ann')).refused('POST', '/v1/guests/renew')).code).toBe('unauthenticated');

    const closed = await Cluster.beside(cluster, 1, { guests: undefined });
    try {
      const refused = await new Rest(closed.instance(0).url).refused('POST', '/v1/guests', { name: 'Zoë' });
      expect([refused.code, refused.status]).toEqual(['forbidden', 403]);
    } finally {
      await closed.stop();
    }
  });
});

describe('REST answers with problem+json', () => {
  it.each<[string, string, number, Method, string, object | string | undefined]>([
    ['a body that is no JSON', 'invalid_argument', 400, 'POST', '/v1/rooms', '{"name":'],
    ['a body that is no object', 'invalid_argument', 400, 'POST', '/v1/rooms', '"text"'],
    ['no body', 'invalid_argument', 400, 'POST', '/v1/rooms', undefined],
    ['a field missing', 'invalid_argument', 400, 'POST', '/v1/rooms', {}],
    ['a field unknown', 'invalid_argument', 400, 'POST', '/v1/rooms', { name: 'Room', owner: 'me' }],
    ['5,000 levels', 'invalid_argument', 400, 'POST', '/v1/rooms', `{"name":${'['.repeat(5_000)}${']'.repeat(5_000)}}`],
    ['30,000 levels', 'invalid_argument', 400, 'POST', '/v1/rooms', `${'['.repeat(30_000)}${']'.repeat(30_000)}`],
    [
      '5,000 keys',
      'invalid_argument',
      400,
      'POST',
      '/v1/rooms',
      Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`k${i}`, 0])),
    ],
    ['more than 64 KiB', 'payload_too_large', 413, 'POST', '/v1/rooms', { name: 'x'.repeat(limits.payloadBytes) }],
    ['nothing to change', 'invalid_argument', 400, 'PATCH', `/v1/rooms/${uuidv7()}`, {}],
    ['an id that is none', 'invalid_argument', 400, 'GET', '/v1/rooms/no-id', undefined],
    ['an id that is no text', 'invalid_argument', 400, 'GET', '/v1/rooms/%E0%A4%A', undefined],
    ['a seq that is none', 'invalid_argument', 400, 'DELETE', `/v1/rooms/${uuidv7()}/messages/0`, undefined],
    ['a seq that is no number', 'invalid_argument', 400, 'DELETE', `/v1/rooms/${uuidv7()}/messages/1e3`, undefined],
    [
      'a seq beyond numbers',
      'invalid_argument',
      400,
      'DELETE',
      `/v1/rooms/${uuidv7()}/messages/9007199254740993`,
      undefined,
    ],
    ['a limit too high', 'invalid_argument', 400, 'GET', '/v1/rooms/discover?limit=201', undefined],
    ['a limit of words', 'invalid_argument', 400, 'GET', '/v1/rooms/discover?limit=ten', undefined],
    ['a parameter twice', 'invalid_argument', 400, 'GET', '/v1/rooms/discover?limit=1&limit=2', undefined],
    ['a parameter unknown', 'invalid_argument', 400, 'GET', '/v1/rooms/discover?sort=name', undefined],
    [
      'two edges of a page',
      'invalid_argument',
      400,
      'GET',
      `/v1/rooms/${uuidv7()}/messages?before=9&after=1`,
      undefined,
    ],
    ['NUL in a search', 'invalid_argument', 400, 'GET', '/v1/rooms/discover?query=%00', undefined],
    ['a room that is not there', 'not_found', 404, 'GET', `/v1/rooms/${uuidv7()}`, undefined],
    ['a route that is not there', 'not_found', 404, 'GET', '/v1/nothing', undefined],
    ['a method that is not there', 'not_found', 404, 'PUT', '/v1/rooms', {}],
    ['a user that is not there', 'not_found', 404, 'POST', `/v1/rooms/${uuidv7()}/members`, { userId: uuidv7() }],
  ])('to %s: %s (S-23, S-29)', async (_, code, status, method, path, body) => {
    const json = { 'content-type': 'application/json' };
    const answer = await ann.sendRaw(
      method,
      path,
      body === undefined ? {} : json,
      typeof body === 'object' ? JSON.stringify(body) : body,
    );
    const problem = problemOf(answer);
    expect([problem.code, problem.status]).toEqual([code, status]);
    expect(answer.text.length).toBeLessThanOrEqual(1024);
  });

  it('to a body of another content type', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', '']) {
      const problem = problemOf(await ann.sendRaw('POST', '/v1/rooms', { 'content-type': type }, '{"name":"Room"}'));
      expect(problem.code).toBe('invalid_argument');
    }
    const charset = { 'content-type': 'application/json; charset=iso-8859-1' };
    expect(problemOf(await ann.sendRaw('POST', '/v1/rooms', charset, '{"name":"Room"}')).code).toBe('invalid_argument');
  });

  it('to who does not say who he is (S-01)', async () => {
    for (const [path, method] of [
      ['/v1/rooms', 'GET'],
      ['/v1/rooms', 'POST'],
      ['/v1/sync', 'POST'],
      [`/v1/rooms/${uuidv7()}/messages`, 'GET'],
    ] as const) {
      for (const authorization of [
        '',
        'Bearer',
        'Bearer ',
        'Basic YTpi',
        `Bearer ${'x'.repeat(9_000)}`,
        'Bearer a b',
      ]) {
        const problem = problemOf(await new Rest(ann.url).sendRaw(method, path, { authorization }));
        expect([problem.code, problem.status]).toEqual(['unauthenticated', 401]);
      }
    }
  });

  it('to a conflict, and to who may not', async () => {
    const roomId = await roomOf(ann);
    const conflict = await ben.refused('POST', '/v1/rooms', { roomId, name: 'Mine' });
    expect([conflict.code, conflict.status]).toEqual(['conflict', 409]);
    await ben.ok('POST', `/v1/rooms/${roomId}/join`, RoomAndMember);
    const forbidden = await ben.refused('PATCH', `/v1/rooms/${roomId}`, { name: 'Mine' });
    expect([forbidden.code, forbidden.status]).toEqual(['forbidden', 403]);
    await ann.ok('POST', `/v1/rooms/${roomId}/messages`, SentMessage, { clientMsgId: 'a', text: 'Mine' });
    expect((await ben.refused('DELETE', `/v1/rooms/${roomId}/messages/1`)).code).toBe('forbidden');
  });

  it('without cookies, caches or the name of what serves it (S-56)', async () => {
    const { headers } = await ann.send('GET', '/v1/rooms');
    expect([headers.get('set-cookie'), headers.get('x-powered-by')]).toEqual([null, null]);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });
});
