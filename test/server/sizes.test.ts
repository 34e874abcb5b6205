import { limits, type RoomSynced } from '../../src/protocol/index.js';
import type { PlainClient } from '../client.js';
import { Cluster } from './cluster.js';

/**
 * What is large: a room of many members, many rooms, a user with as many rooms as he may have. `MANY=100000 npm run jest --
 * test/server/sizes.test.ts` is the size that is promised, and prints how long each request took.
 */
const many = Number(process.env['MANY'] ?? 5_000);

/** `many` users and public rooms with two messages each; the first room has all users as members, the last user most rooms. */
const FILL = `
  with people as (
    insert into users (id, kind, subject, name)
    select ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'app', 'many ' || n, 'Person ' || n from generate_series(1, $1::int) n
    returning id
  ), places as (
    insert into rooms (id, name, topic, visibility, created_by, seq, rev, settings_rev, member_count)
    select ('00000000-0000-7000-9000-' || lpad(to_hex(n), 12, '0'))::uuid, 'Place ' || n, '', 'public',
      '00000000-0000-7000-8000-000000000001', 2, 2 + case when n = 1 then $1::int else 1 end, 0, case when n = 1 then $1::int else 1 end
    from generate_series(1, $1::int) n
    returning id
  )
  select (select count(*) from people) + (select count(*) from places)`;
const room = (n: number) => `00000000-0000-7000-9000-${n.toString(16).padStart(12, '0')}`;
const user = (n: number) => `00000000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;

describe(`of ${many}`, () => {
  let cluster: Cluster;
  let ann: PlainClient;

  const timed = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    const times: number[] = [];
    let result: T | undefined;
    for (let i = 0; i < (process.env['MANY'] === undefined ? 1 : 5); i += 1) {
      const began = performance.now();
      result = await work();
      times.push(performance.now() - began);
    }
    if (process.env['MANY'] !== undefined)
      console.log(`${what}: ${times.map((ms) => ms.toFixed(1)).join(', ')} ms, ${JSON.stringify(result).length} bytes`);
    return result as T;
  };
  const memberCount = async (who: PlainClient, roomId: string): Promise<number> => {
    const synced = await who.ask('room:sync', { roomId });
    return synced.reset ? synced.memberCount : NaN;
  };
  const say = (who: PlainClient, roomId: string, clientMsgId: string) =>
    who.ask('message:send', { roomId, clientMsgId, text: clientMsgId });

  beforeAll(async () => {
    cluster = await Cluster.start(2);
    await cluster.query(FILL, [many]);
    await cluster.query(
      `insert into messages (room_id, seq, rev, sender_id, client_msg_id, fingerprint, text, created_at)
       select id, n, n, $1, 'old ' || n, '', repeat('word ', 200), now() from rooms cross join generate_series(1, 2) n`,
      [user(1)],
    );
    await cluster.query(
      `insert into memberships (room_id, user_id, role, rev, joined_at)
       select $1, id, case when id = $2 then 'owner' else 'member' end, 2 + row_number() over (order by id), now() - interval '1 day' from users`,
      [room(1), user(1)],
    );
    await cluster.query(
      `insert into memberships (room_id, user_id, role, rev, joined_at) select id, $1, 'owner', 3, now() - interval '1 day' from rooms where id <> $2 limit $3`,
      [user(many), room(1), limits.roomsPerUser - 2],
    );
    await cluster.query('analyze');
    ann = await cluster.connect('many 1');
  }, 600_000);
  afterAll(() => cluster.stop());

  it('members, a room serves as any other', async () => {
    const [roomId, ben] = [room(1), await cluster.connect('ben', 1)];
    await timed('leave and join', async () => {
      await ben.reply('room:leave', { roomId });
      return ben.ask('room:join', { roomId });
    });
    expect(await memberCount(ben, roomId)).toBe(many + 1);
    const sent = await timed('send', () => say(ann, roomId, `${performance.now()}`));
    await ben.until(() => ben.frames.some(({ changes }) => changes.some(({ rev }) => rev === sent.message.rev)));

    const seen = new Set<string>();
    let cursor: string | undefined;
    do {
      const page = await ann.ask('members:list', { roomId, limit: limits.listPage, ...(cursor && { cursor }) });
      for (const member of page.items) seen.add(member.user.id);
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined && seen.size < 5_000);
    expect(seen.size).toBeGreaterThanOrEqual(Math.min(many + 1, 5_000));
    await timed('a page of members', () => ann.ask('members:list', { roomId, ...(cursor && { cursor }) }));

    const { userId } = ben.session;
    const moderate = { roomId, userId, role: 'moderator' as const };
    expect((await timed('a role', () => ann.ask('member:update', moderate))).member.role).toBe('moderator');
    await timed('ban and lift', async () => {
      await ann.ask('member:ban', { roomId, userId, on: true });
      return ann.ask('member:ban', { roomId, userId, on: false });
    });
    await timed('room:sync', () => ann.ask('room:sync', { roomId }));
    expect(await memberCount(ann, roomId)).toBe(many);
  });

  it('rooms, one finds the one by name', async () => {
    const found = await timed('discover', () => ann.ask('rooms:discover', { query: `lace ${many}` }));
    expect(found.items.map(({ id }) => id)).toEqual([room(many)]);
    const page = await timed('a page of all rooms', () => ann.ask('rooms:discover', {}));
    expect(page.items.length).toBe(limits.listPageDefault);
  });

  it(`a user is in ${limits.roomsPerUser} rooms at the same time, and no more (S-46)`, async () => {
    const cid = await timed('connect', async () => {
      cluster.hangUp();
      return (await cluster.connect(`many ${many}`)).session.userId;
    });
    expect(cid).toBe(user(many));
    const client = await cluster.connect(`many ${many}`);
    const [first] = await cluster.query<{ id: string }>(
      'select id from rooms where not exists (select from memberships where room_id = rooms.id and user_id = $1) order by id limit 1',
      [user(many)],
    );
    await client.ask('room:join', { roomId: first?.id ?? '' });
    expect((await client.refusal('room:create', { name: 'One more' })).code).toBe('forbidden');
    const { rooms, epoch } = await timed('rooms:sync of a new device', () => client.ask('rooms:sync', {}));
    expect(rooms.length).toBe(limits.roomsPerUser);
    const told = (synced: RoomSynced) => (synced.reset ? synced.messages.length : -1);
    expect(rooms.every((synced) => told(synced) === 2)).toBe(true);
    const cursors = Object.fromEntries(rooms.map(({ roomId, upTo }) => [roomId, upTo]));
    const again = await timed('rooms:sync with nothing missed', () => client.ask('rooms:sync', { epoch, cursors }));
    expect(again.rooms.filter((synced) => synced.reset || synced.changes.length > 0)).toEqual([]);
    const mine = await cluster.rest(`many ${many}`);
    const { text } = await timed('my rooms', () => mine.send('GET', '/v1/rooms'));
    expect((JSON.parse(text) as { items: unknown[] }).items.length).toBe(limits.roomsPerUser);
    const marked = await timed('a read mark', () => client.ask('read:mark', { roomId: room(1), seq: 1 }));
    expect(marked.readSeq).toBeGreaterThanOrEqual(1);
  });
});
