import { Inject, Injectable } from '@nestjs/common';
import { ChatError } from '../chat-error.js';
import type { Config } from '../config.js';
import { CONFIG } from '../config.token.js';
import type { EnterAsGuest, GuestSession } from '../protocol/index.js';
import { UsersService } from '../users/users.service.js';
import { TokensService } from './tokens.service.js';

@Injectable()
export class GuestsService {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly users: UsersService,
    private readonly tokens: TokensService,
  ) {}

  /** Makes a new guest under this name; names need not be unique. @throws ChatError `forbidden` where guests are off */
  async enter({ name }: EnterAsGuest): Promise<GuestSession> {
    if (!this.config.guests) throw new ChatError('forbidden', 'Guests are not let in here');
    const user = await this.users.createGuest(name);
    const { token, expiresAt } = await this.tokens.signGuest(user);
    return { user, token, expiresAt: expiresAt.toISOString() };
  }
}
