import { uuidv7 } from 'uuidv7';
import { may, Role, type Action, type RequestInput, type RequestName } from '../../src/protocol/index.js';
import type { PlainClient } from '../client.js';
import { Cluster } from './cluster.js';
import { problemOf, type Method, type Rest } from './rest.js';

/** What stands ready in the room that a request is tried on. */
interface Stage {
  roomId: string;
  /** A reader, so that everyone ranks above him who may govern at all. */
  member: string;
  stranger: string;
  inviteId: string;
  filterId: string;
  heldId: string;
}

interface Trial<E extends RequestName> {
  action: Action;
  request: (stage: Stage) => RequestInput<E>;
  twin: (stage: Stage) => [Method, string, object?];
}

/** The requests whose answer does not depend on a role in a room. */
type OfNoRole =
  | 'room:create'
  | 'room:direct'
  | 'room:join'
  | 'rooms:sync'
  | 'rooms:discover'
  | 'invite:accept'
  | 'room:request'
  | 'auth:refresh'
  | `presence:${string}`;

const at = ({ roomId }: Stage, path = ''): string => `/v1/rooms/${roomId}${path}`;
const trials: { [E in Exclude<RequestName, OfNoRole>]: Trial<E> } = {
  'room:sync': {
    action: 'room:read',
    request: ({ roomId }) => ({ roomId }),
    twin: (stage) => ['GET', at(stage, '/changes')],
  },
  'room:update': {
    action: 'room:update',
    request: ({ roomId }) => ({ roomId, name: 'Renamed', slowModeS: 0, meta: { a: 1 } }),
    twin: (stage) => ['PATCH', at(stage), { topic: 'Another' }],
  },
  'room:leave': {
    action: 'room:leave',
    request: ({ roomId }) => ({ roomId }),
    twin: (stage) => ['POST', at(stage, '/leave')],
  },
  'room:archive': {
    action: 'room:archive',
    request: ({ roomId }) => ({ roomId, on: true }),
    twin: (stage) => ['POST', at(stage, '/archive'), { on: true }],
  },
  'member:add': {
    action: 'member:add',
    request: ({ roomId, stranger }) => ({ roomId, userId: stranger }),
    twin: (stage) => ['POST', at(stage, '/members'), { userId: stage.stranger }],
  },
  'member:update': {
    action: 'member:role',
    request: ({ roomId, member }) => ({ roomId, userId: member, role: 'member' }),
    twin: (stage) => ['PATCH', at(stage, `/members/${stage.member}`), { mutedUntil: '2099-01-01T00:00:00.000Z' }],
  },
  'member:remove': {
    action: 'member:remove',
    request: ({ roomId, member }) => ({ roomId, userId: member }),
    twin: (stage) => ['DELETE', at(stage, `/members/${stage.member}`)],
  },
  'member:ban': {
    action: 'member:ban',
    request: ({ roomId, member }) => ({ roomId, userId: member, on: true }),
    twin: (stage) => ['POST', at(stage, '/bans'), { userId: stage.stranger, on: true }],
  },
  'members:list': {
    action: 'member:list',
    request: ({ roomId }) => ({ roomId }),
    twin: (stage) => ['GET', at(stage, '/members')],
  },
  'bans:list': {
    action: 'ban:list',
    request: ({ roomId }) => ({ roomId }),
    twin: (stage) => ['GET', at(stage, '/bans')],
  },
  'member:shadow': {
    action: 'member:shadow',
    request: ({ roomId, member }) => ({ roomId, userId: member, until: '2099-01-01T00:00:00.000Z' }),
    twin: (stage) => ['POST', at(stage, '/shadows'), { userId: stage.member, until: null }],
  },
  'shadows:list': {
    action: 'shadow:list',
    request: ({ roomId }) => ({ roomId }),
    twin: (stage) => ['GET', at(stage, '/shadows')],
  },
  'invite:create': {
    action: 'invite:create',
    request: ({ roomId }) => ({ roomId }),
    twin: (stage) => ['POST', at(stage, '/invites'), {}],
  },
  'invite:revoke': {
    action: 'invite:revoke',
    request: ({ roomId, inviteId }) => ({ roomId, inviteId }),
    twin: (stage) => ['DELETE', at(stage, `/invites/${stage.inviteId}`)],
  },
  'invites:list': {
    action: 'invite:list',
    request: ({ roomId }) => ({ roomId }),
    twin: (stage) => ['GET', at(stage, '/invites')],
  },
  'request:answer': {
    action: 'request:answer',
    request: ({ roomId, stranger }) => ({ roomId, userId: stranger, approve: true }),
    twin: (stage) => ['POST', at(stage, `/requests/${stage.stranger}`), { approve: false }],
  },
  'requests:list': {
    action: 'request:list',
    request: ({ roomId }) => ({ roomId }),
    twin: (stage) => ['GET', at(stage, '/requests')],
  },
  'filter:add': {
    action: 'filter:add',
    request: ({ roomId }) => ({ roomId, kind: 'word', pattern: 'spam', action: 'mask' }),
    twin: (stage) => ['POST', at(stage, '/filters'), { kind: 'link', pattern: 'spam.example', action: 'reject' }],
  },
  'filter:remove': {
    action: 'filter:remove',
    request: ({ roomId, filterId }) => ({ roomId, filterId }),
    twin: (stage) => ['DELETE', at(stage, `/filters/${stage.filterId}`)],
  },
  'held:list': {
    action: 'held:list',
    request: ({ roomId }) => ({ roomId }),
    twin: (stage) => ['GET', at(stage, '/held')],
  },
  'held:answer': {
    action: 'held:answer',
    request: ({ roomId, heldId }) => ({ roomId, heldId, approve: true }),
    twin: (stage) => ['POST', at(stage, `/held/${stage.heldId}`), { approve: false }],
  },
  'filters:list': {
    action: 'filter:list',
    request: ({ roomId }) => ({ roomId }),
    twin: (stage) => ['GET', at(stage, '/filters')],
  },
  'message:send': {
    action: 'message:send',
    request: ({ roomId }) => ({ roomId, clientMsgId: uuidv7(), text: 'Hello' }),
    twin: (stage) => ['POST', at(stage, '/messages'), { clientMsgId: uuidv7(), text: 'Hello' }],
  },
  'message:delete': {
    action: 'message:deleteOwn',
    request: ({ roomId }) => ({ roomId, seq: 1 }),
    twin: (stage) => ['DELETE', at(stage, '/messages/1')],
  },
  'message:edit': {
    action: 'message:editOwn',
    request: ({ roomId }) => ({ roomId, seq: 1, text: 'Better' }),
    twin: (stage) => ['PATCH', at(stage, '/messages/1'), { text: 'Better' }],
  },
  'message:versions': {
    action: 'message:versions',
    request: ({ roomId }) => ({ roomId, seq: 1 }),
    twin: (stage) => ['GET', at(stage, '/messages/1/versions')],
  },
  'message:react': {
    action: 'message:react',
    request: ({ roomId }) => ({ roomId, seq: 1, emoji: '👍', on: true }),
    twin: (stage) => ['POST', at(stage, '/messages/1/reactions'), { emoji: '👍', on: true }],
  },
  'reactions:mine': {
    action: 'room:read',
    request: ({ roomId }) => ({ roomId, from: 1, to: 1 }),
    twin: (stage) => ['GET', at(stage, '/reactions?from=1&to=1')],
  },
  'message:pin': {
    action: 'message:pin',
    request: ({ roomId }) => ({ roomId, seq: 1, on: true }),
    twin: (stage) => ['POST', at(stage, '/messages/1/pin'), { on: true }],
  },
  'message:report': {
    action: 'message:report',
    request: ({ roomId }) => ({ roomId, seq: 1, reason: 'spam' }),
    twin: (stage) => ['POST', at(stage, '/messages/1/report'), { reason: 'other' }],
  },
  'reports:list': {
    action: 'report:list',
    request: ({ roomId }) => ({ roomId }),
    twin: (stage) => ['GET', at(stage, '/reports')],
  },
  'report:answer': {
    action: 'report:answer',
    request: ({ roomId }) => ({ roomId, seq: 1, action: 'delete' }),
    twin: (stage) => ['POST', at(stage, '/messages/1/report/answer'), { action: 'dismiss' }],
  },
  'pins:list': {
    action: 'room:read',
    request: ({ roomId }) => ({ roomId }),
    twin: (stage) => ['GET', at(stage, '/pins')],
  },
  'read:mark': {
    action: 'room:read',
    request: ({ roomId }) => ({ roomId, seq: 1 }),
    twin: (stage) => ['POST', at(stage, '/reads'), { seq: 1 }],
  },
  'reads:list': {
    action: 'room:read',
    request: ({ roomId }) => ({ roomId }),
    twin: (stage) => ['GET', at(stage, '/reads')],
  },
  'typing:set': {
    action: 'room:read',
    request: ({ roomId }) => ({ roomId, on: true }),
    twin: (stage) => ['POST', at(stage, '/typing'), { on: true }],
  },
  'history:get': {
    action: 'room:read',
    request: ({ roomId }) => ({ roomId }),
    twin: (stage) => ['GET', at(stage, '/messages')],
  },
};
const events = Object.keys(trials) as (keyof typeof trials)[];

describe('what a role allows', () => {
  let cluster: Cluster;
  let owner: PlainClient;
  let stranger: PlainClient;
  let reader: PlainClient;
  let actor: PlainClient;
  let rest: Rest;

  beforeAll(async () => {
    cluster = await Cluster.start(1);
    [owner, stranger, reader, actor] = [
      await cluster.connect('olaf'),
      await cluster.connect('eve'),
      await cluster.connect('rita'),
      await cluster.connect('ann'),
    ];
    rest = await cluster.rest('ann');
  });
  afterAll(() => cluster.stop());

  async function stage(role: Role, event?: RequestName): Promise<Stage> {
    const { room } = await owner.ask('room:create', { name: 'Stage', visibility: 'private', joinRequests: true });
    const roomId = room.id;
    const ids = { member: reader.session.userId, actor: actor.session.userId, stranger: stranger.session.userId };
    await owner.ask('member:add', { roomId, userId: ids.actor });
    await owner.ask('member:add', { roomId, userId: ids.member });
    await actor.ask('message:send', { roomId, clientMsgId: 'mine', text: 'Mine' });
    // Nobody may report as often as there are trials.
    if (event === 'report:answer') await owner.ask('message:report', { roomId, seq: 1, reason: 'spam' });
    await owner.ask('member:update', { roomId, userId: ids.member, role: 'reader' });
    if (role !== 'member') await owner.ask('member:update', { roomId, userId: ids.actor, role });
    await stranger.ask('room:request', { roomId });
    const { invite } = await owner.ask('invite:create', { roomId });
    const { filter } = await owner.ask('filter:add', { roomId, kind: 'word', pattern: 'x', action: 'mask' });
    await owner.ask('filter:add', { roomId, kind: 'word', pattern: 'perhaps', action: 'hold' });
    await owner.refusal('message:send', { roomId, clientMsgId: 'held', text: 'Perhaps' });
    const [held] = (await owner.ask('held:list', { roomId })).items;
    const made = { inviteId: invite.id, filterId: filter.id, heldId: held?.id ?? '' };
    return { roomId, member: ids.member, stranger: ids.stranger, ...made };
  }

  describe.each(Role.options)('a role of %s', (role) => {
    it.each(events)('is what %s and its REST twin go by (S-21)', async (event) => {
      const trial = trials[event] as Trial<RequestName>;
      const allowed = may(role, trial.action);
      const reply = await actor.reply(event, trial.request(await stage(role, event)));
      expect(reply.ok ? 'ok' : reply.error.code).toBe(allowed ? 'ok' : 'forbidden');
      const answer = await rest.send(...trial.twin(await stage(role, event)));
      const said = answer.status < 300 ? 'ok' : problemOf(answer).code;
      expect(said).toBe(allowed ? 'ok' : 'forbidden');
    });

    it('is what the settings of a room go by (S-21)', async () => {
      const { roomId } = await stage(role);
      const governed: RequestInput<'room:update'>[] = [
        { roomId, visibility: 'private' },
        { roomId, readOnly: true },
        { roomId, memberLimit: 100 },
        { roomId, historyVisible: 'joined' },
        { roomId, joinRequests: false },
        { roomId, name: 'Together', readOnly: false },
      ];
      for (const request of governed) {
        const reply = await actor.reply('room:update', request);
        expect(reply.ok ? 'ok' : reply.error.code).toBe(may(role, 'room:govern') ? 'ok' : 'forbidden');
      }
    });
  });

  it('acts on those below alone, but for owners (S-21)', async () => {
    const { roomId, member } = await stage('moderator');
    const [olaf, ann] = [owner.session.userId, actor.session.userId];
    const codes = async (userId: string) => [
      (await actor.refusal('member:remove', { roomId, userId })).code,
      (await actor.refusal('member:ban', { roomId, userId, on: true })).code,
      (await actor.refusal('member:update', { roomId, userId, mutedUntil: '2099-01-01T00:00:00.000Z' })).code,
      (await actor.refusal('member:update', { roomId, userId, role: 'owner' })).code,
    ];
    expect(await codes(olaf)).toEqual(Array(4).fill('forbidden'));
    await owner.ask('member:add', { roomId, userId: stranger.session.userId });
    await owner.ask('member:update', { roomId, userId: stranger.session.userId, role: 'moderator' });
    expect(await codes(stranger.session.userId)).toEqual(Array(4).fill('forbidden'));
    expect(await codes(ann)).toEqual(Array(4).fill('forbidden'));
    expect((await actor.refusal('member:update', { roomId, userId: member, role: 'moderator' })).code).toBe(
      'forbidden',
    );
    expect((await actor.ask('member:update', { roomId, userId: member, role: 'member' })).member.role).toBe('member');
    await owner.ask('member:update', { roomId, userId: ann, role: 'owner' });
    expect((await actor.ask('member:update', { roomId, userId: olaf, role: 'reader' })).member.role).toBe('reader');
    expect((await actor.refusal('member:update', { roomId, userId: ann, role: 'member' })).code).toBe('forbidden');
    expect((await actor.ask('room:leave', { roomId })).member.role).toBe('owner');
    const { items } = await owner.ask('members:list', { roomId });
    expect(items.map(({ user, role }) => `${user.name} ${role}`)).toContain('olaf owner');
  });
});
