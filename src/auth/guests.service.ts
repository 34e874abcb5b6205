import { Injectable } from '@nestjs/common';
import type { EnterAsGuest, GuestSession, User } from '../protocol/index.js';
import { Limits } from '../limits/limits.js';
import { UsersService } from '../users/users.service.js';
import type { Caller } from './caller.js';
import { TokensService } from './tokens.service.js';

@Injectable()
export class GuestsService {
  constructor(
    private readonly users: UsersService,
    private readonly tokens: TokensService,
    private readonly limits: Limits,
  ) {}

  /** Makes a new guest under this name; names need not be unique. @throws ChatError `forbidden` where guests are off, `rate_limited` */
  async enter({ name }: EnterAsGuest, address: string): Promise<GuestSession> {
    this.tokens.checkGuests();
    this.limits.take('guests', address);
    this.limits.take('allGuests');
    return this.sessionOf(await this.users.createGuest(name));
  }

  /** A fresh token for a guest whose token still holds. @throws ChatError `unauthenticated` for who is no guest */
  async renew({ id }: Caller): Promise<GuestSession> {
    const { name } = await this.users.guest(id);
    return this.sessionOf({ id, name });
  }

  private sessionOf(user: User): GuestSession {
    const { token, expiresAt } = this.tokens.signGuest(user);
    return { user, token, expiresAt: expiresAt.toISOString() };
  }
}
