import fc from 'fast-check';
import pg from 'pg';
import { Parley, ParleyError, type RoomState } from '../../sdk/index.js';
import { limits } from '../../src/protocol/index.js';
import { testToken } from '../instance.js';
import { line, STORED } from '../server/stored.js';
import { eventually } from '../start/processes.js';
import { Topology, type InstanceProcess } from './topology.js';

/** Ann has five devices. Eve comes and goes. */
const USERS = ['ann', 'ann', 'ann', 'ann', 'ann', 'ben', 'cid', 'eve'];
const ANN = 0;
const BEN = 5;
const EVE = USERS.length - 1;

/** What everybody else sees of what somebody says in the shadow. */
const TOMBSTONE = { text: '', version: 1, deleted: true, replyTo: null, pinned: false, replies: 0, reactions: [] };

interface Step {
  who: number;
  what:
    | 'say'
    | 'mention'
    | 'reply'
    | 'edit'
    | 'delete'
    | 'react'
    | 'pin'
    | 'read'
    | 'unread'
    | 'role'
    | 'shadow'
    | 'rejoin'
    | 'kill';
  at: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  who: fc.nat(USERS.length - 1),
  what: fc.constantFrom(
    'say',
    'say',
    'say',
    'mention',
    'reply',
    'edit',
    'delete',
    'react',
    'pin',
    'read',
    'unread',
    'role',
    'shadow',
    'shadow',
    'rejoin',
  ),
  at: fc.nat(1_000),
});
/** Each ends with the death of an instance, on top of which the next begins. */
const wave = fc.array(step, { minLength: 10, maxLength: 25 });

describe('whatever many do through the balancer while instances die', () => {
  const topology = new Topology();
  const clients: Parley[] = [];
  let database: pg.Client;

  beforeAll(async () => {
    await topology.start();
    database = new pg.Client({ connectionString: topology.databaseUrl });
    await database.connect();
  }, 300_000);
  afterEach(() => clients.splice(0).forEach((client) => client.close()));
  afterAll(async () => {
    await database.end();
    await topology.stop();
  }, 60_000);

  async function follow(user: string): Promise<Parley> {
    const backoff = { baseMs: 50, capMs: 500 };
    const client = new Parley({ url: topology.url, token: () => testToken(user), backoff });
    clients.push(client);
    await client.ready();
    return client;
  }

  /** What it comes to is part of it, as long as it is no fault of the server. */
  async function act(
    client: Parley,
    roomId: string,
    { who, what, at }: Step,
    userIds: readonly string[],
  ): Promise<void> {
    const room = client.rooms.get(roomId);
    if (room === undefined && what !== 'rejoin') return;
    const seq = 1 + (at % Math.max(1, room?.messages.length ?? 1));
    const other = userIds[at % userIds.length] ?? '';
    const silenced = userIds[BEN + (at % 2)] ?? '';
    const say = (extras: object = {}) => client.send(roomId, `${who} ${what} ${at}`, extras).sent;
    const acts: Record<Exclude<Step['what'], 'kill'>, () => Promise<unknown> | undefined> = {
      say: () => say(),
      mention: () => say({ mentions: { users: [other] } }),
      reply: () => say({ threadRoot: seq }),
      edit: () => client.editMessage(roomId, seq, `edited ${at}`),
      delete: () => client.deleteMessage(roomId, seq),
      react: () => client.react(roomId, seq, `:e${at % 3}:`, at % 4 > 0),
      pin: () => client.pinMessage(roomId, seq, at % 3 > 0),
      read: () => client.markRead(roomId, seq),
      unread: () => client.markUnread(roomId, seq),
      role: () => client.moderation.setRole(roomId, other, at % 2 === 0 ? 'moderator' : 'member'),
      shadow: () => client.moderation.shadow(roomId, silenced, at % 3 > 0 ? '2099-01-01T00:00:00.000Z' : null),
      rejoin: () => (who !== EVE ? undefined : room ? client.leaveRoom(roomId) : client.joinRoom(roomId)),
    };
    try {
      if (what !== 'kill') await acts[what]();
    } catch (error) {
      if (!(error instanceof ParleyError) || ['internal', 'invalid_argument'].includes(error.code)) throw error;
    }
  }

  it('leaves each client, who builds it from the stream alone, with what Postgres has', async () => {
    let killed = 0;
    const run = async (waves: Step[][]): Promise<void> => {
      const devices = await Promise.all(USERS.map(follow));
      const [owner] = devices as [Parley];
      const { id: roomId } = (await owner.createRoom({ name: 'Everything' })).room;
      for (const [i, client] of devices.entries()) if (USERS[i] !== 'ann') await client.joinRoom(roomId);
      await eventually(() => devices.every((client) => client.rooms.has(roomId)), 'all are in');
      for (const client of devices) await client.listMembers({ roomId });
      // Who leaves is not mentioned: that does not count for him, and here it is counted by what the messages say.
      const userIds = devices.slice(ANN, EVE).map(({ session }) => session?.userId ?? '');
      for (const steps of waves) {
        const done = Promise.all(steps.map((each) => act(devices[each.who] as Parley, roomId, each, userIds)));
        const victim = topology.instances[killed++ % topology.instances.length] as InstanceProcess;
        await victim.end('SIGKILL');
        await victim.start();
        await done;
      }
      // Who comes back knows of the members only what she asks for.
      if (devices[EVE]?.rooms.has(roomId)) await devices[EVE].listMembers({ roomId });
      for (const client of devices) while (client.rooms.get(roomId)?.hasBefore) await client.loadOlder(roomId);
      await eventually(
        async () => {
          const states = await stateOf(roomId);
          return devices.every((client) => JSON.stringify(seenBy(client, roomId)) === states(client));
        },
        'every client has what Postgres has',
        20_000,
      ).catch(async (error: unknown) => {
        const states = await stateOf(roomId);
        for (const client of devices) expect(seenBy(client, roomId)).toEqual(JSON.parse(states(client)));
        throw error;
      });
      clients.splice(0).forEach((client) => client.close());
    };
    await fc.assert(fc.asyncProperty(fc.array(wave, { minLength: 2, maxLength: 3 }), run), {
      numRuns: 3,
      endOnFailure: true,
    });
    expect(killed).toBeGreaterThanOrEqual(6);
  }, 180_000);

  function seenBy(client: Parley, roomId: string): object | null {
    const room = client.rooms.get(roomId);
    if (room === undefined) return null;
    const { readSeq, unread, mentions, memberCount } = room;
    return { messages: room.messages.map(line), members: membersOf(room), memberCount, readSeq, unread, mentions };
  }

  /** What the tables say, recounted without the server's formulas. */
  async function stateOf(roomId: string): Promise<(client: Parley) => string> {
    const messages = (await database.query(STORED, [roomId])).rows as { seq: number }[];
    const members = (
      await database.query(
        `select user_id as id, role, read_seq::int as read, unread_since::int as since from memberships
         where room_id = $1 and left_at is null order by user_id`,
        [roomId],
      )
    ).rows as { id: string; role: string; read: number; since: number }[];
    const said = (
      await database.query(
        `select seq::int, sender_id as sender, deleted_at is not null as deleted,
           shadowed_at is not null as shadowed, coalesce(mentions -> 'users', '[]') as users
         from messages where room_id = $1 order by seq`,
        [roomId],
      )
    ).rows as { seq: number; sender: string; deleted: boolean; shadowed: boolean; users: string[] }[];
    return (client) => {
      const id = client.session?.userId ?? '';
      const mine = members.find((member) => member.id === id);
      if (mine === undefined) return 'null';
      const own = said.filter(({ sender, seq }) => sender === id && seq > mine.since).at(-1)?.seq ?? 0;
      const readSeq = Math.max(mine.read, own);
      const hidden = new Set(said.filter(({ sender, shadowed }) => shadowed && sender !== id).map(({ seq }) => seq));
      const unread = said.filter(
        ({ seq, sender, deleted }) => seq > readSeq && sender !== id && !deleted && !hidden.has(seq),
      );
      return JSON.stringify({
        messages: messages.map((message) => (hidden.has(message.seq) ? { ...message, ...TOMBSTONE } : message)),
        members: members.map(({ id: userId, role }) => [userId, role]),
        memberCount: members.length,
        readSeq,
        unread: Math.min(limits.unreadCap, unread.length),
        mentions: unread.filter(({ users }) => users.includes(id)).length,
      });
    };
  }

  function membersOf(room: RoomState): [string, string][] {
    return [...room.members.values()]
      .filter(({ leftAt }) => leftAt === null)
      .map(({ user, role }): [string, string] => [user.id, role])
      .toSorted(([a], [b]) => (a < b ? -1 : 1));
  }
});
