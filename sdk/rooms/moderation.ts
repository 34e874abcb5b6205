import type {
  Ban,
  BanPage,
  Filter,
  FilterPage,
  HeldMessage,
  HeldPage,
  Invite,
  InviteMade,
  InvitePage,
  JoinRequest,
  Member,
  Message,
  Report,
  ReportPage,
  RequestInput,
  RequestName,
  RequestPage,
  ResultOf,
  Shadow,
  ShadowPage,
} from '../../src/protocol/index.js';

type Ask = <E extends RequestName>(event: E, input: RequestInput<E>) => Promise<ResultOf<E>>;

/** What owners and moderators do to a room's members, and who may come in. What the role does not allow rejects with `forbidden`. */
export class Moderation {
  /** @param took a member as a reply tells him */
  constructor(
    private readonly ask: Ask,
    private readonly took: (member: Member) => void,
  ) {}

  async setRole(roomId: string, userId: string, role: Member['role']): Promise<Member> {
    return this.take(await this.ask('member:update', { roomId, userId, role }));
  }

  /** Until that moment (ISO 8601) he sends nothing; null lets him speak again. */
  async mute(roomId: string, userId: string, mutedUntil: string | null): Promise<Member> {
    return this.take(await this.ask('member:update', { roomId, userId, mutedUntil }));
  }

  async remove(roomId: string, userId: string): Promise<Member> {
    return this.take(await this.ask('member:remove', { roomId, userId }));
  }

  /**
   * Removes him and keeps him out: until a moment (ISO 8601), or for good. With `purge` what he said is deleted for everyone, or,
   * with `purgeLastS`, what he said in so many seconds until now.
   */
  async ban(
    roomId: string,
    userId: string,
    options: { until?: string; reason?: string; purge?: boolean; purgeLastS?: number } = {},
  ): Promise<Ban | null> {
    for (;;) {
      const { ban, purged } = await this.ask('member:ban', { roomId, userId, on: true, ...options });
      if (purged?.more !== true) return ban;
    }
  }

  async unban(roomId: string, userId: string): Promise<void> {
    await this.ask('member:ban', { roomId, userId, on: false });
  }

  bans(input: RequestInput<'bans:list'>): Promise<BanPage> {
    return this.ask('bans:list', input);
  }

  /** Until that moment (ISO 8601) only he sees what he says in the room, and is not told so; null ends it. */
  async shadow(roomId: string, userId: string, until: string | null): Promise<Shadow | null> {
    const { shadow } = await this.ask('member:shadow', { roomId, userId, until });
    return shadow;
  }

  shadows(input: RequestInput<'shadows:list'>): Promise<ShadowPage> {
    return this.ask('shadows:list', input);
  }

  /** Tells those who govern the room that something is wrong with the message. Any member may. */
  async report(input: RequestInput<'message:report'>): Promise<void> {
    await this.ask('message:report', input);
  }

  reports(input: RequestInput<'reports:list'>): Promise<ReportPage> {
    return this.ask('reports:list', input);
  }

  /** With `delete` the message is deleted, too. */
  async answerReport({ message }: Pick<Report, 'message'>, action: 'dismiss' | 'delete'): Promise<void> {
    await this.ask('report:answer', { roomId: message.roomId, seq: message.seq, action });
  }

  /** The `code` is told this once; whoever has it may `acceptInvite`. */
  createInvite(input: RequestInput<'invite:create'>): Promise<InviteMade> {
    return this.ask('invite:create', input);
  }

  async revokeInvite(roomId: string, inviteId: string): Promise<Invite> {
    const { invite } = await this.ask('invite:revoke', { roomId, inviteId });
    return invite;
  }

  invites(input: RequestInput<'invites:list'>): Promise<InvitePage> {
    return this.ask('invites:list', input);
  }

  joinRequests(input: RequestInput<'requests:list'>): Promise<RequestPage> {
    return this.ask('requests:list', input);
  }

  /** Null where he was declined. */
  async answer({ roomId, user }: JoinRequest, approve: boolean): Promise<Member | null> {
    const { member } = await this.ask('request:answer', { roomId, userId: user.id, approve });
    if (member) this.took(member);
    return member;
  }

  /** A word or a domain that messages of the room are rejected for, or that is masked in them. The same again changes which of both. */
  async addFilter(input: RequestInput<'filter:add'>): Promise<Filter> {
    const { filter } = await this.ask('filter:add', input);
    return filter;
  }

  async removeFilter(roomId: string, filterId: string): Promise<void> {
    await this.ask('filter:remove', { roomId, filterId });
  }

  filters(input: RequestInput<'filters:list'>): Promise<FilterPage> {
    return this.ask('filters:list', input);
  }

  /** Messages and edits that wait for a moderator. */
  held(input: RequestInput<'held:list'>): Promise<HeldPage> {
    return this.ask('held:list', input);
  }

  /** Null where it was declined; what is approved comes as a change of the room. */
  async answerHeld({ roomId, id }: HeldMessage, approve: boolean): Promise<Message | null> {
    return (await this.ask('held:answer', { roomId, heldId: id, approve })).message;
  }

  private take({ member }: { member: Member }): Member {
    this.took(member);
    return member;
  }
}
