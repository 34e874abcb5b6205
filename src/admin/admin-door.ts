import { createHash, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable, type NestMiddleware } from '@nestjs/common';
import type { NextFunction, Response } from 'express';
import { bearer } from '../auth/bearer.js';
import { originOf } from '../auth/origin.js';
import { TokensService } from '../auth/tokens.service.js';
import { ChatError } from '../chat-error.js';
import type { Config } from '../config.js';
import { CONFIG } from '../config.token.js';
import type { Actor, AdminRequest } from './actor.js';
import { AdminPort } from './admin-port.js';

/**
 * Stands before every path under `/admin`, also those that do not exist: who may not ask is told the same of all of them. Lets
 * pass the holder of the admin key or of a key that is for it, and users whom a token of the app calls admin or auditor; an
 * auditor may only read.
 */
@Injectable()
export class AdminDoor implements NestMiddleware {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly tokens: TokensService,
    private readonly port: AdminPort,
  ) {}

  async use(request: AdminRequest, _response: Response, next: NextFunction): Promise<void> {
    const isOpen = this.config.adminKey !== undefined || this.config.app?.claims.role !== undefined;
    // In the words that any path gets which does not exist.
    if (!isOpen || !this.port.isRight(request)) throw new ChatError('not_found', 'The request was refused (not_found)');
    const found = await this.actorOf(bearer(request.headers.authorization));
    const isReading = request.method === 'GET' || request.method === 'HEAD';
    if (found === undefined || (found.role === 'auditor' && !isReading)) throw refused();
    request.actor = { ...found, ...originOf(request) };
    next();
  }

  /** @throws ChatError `token_expired`, `unavailable`, or what the database says */
  private async actorOf(credential: string): Promise<Pick<Actor, 'kind' | 'id' | 'role'> | undefined> {
    const { adminKey } = this.config;
    if (adminKey !== undefined && timingSafeEqual(digest(credential), digest(adminKey)))
      return { kind: 'admin key', id: null, role: 'admin' };
    try {
      const { id, role = 'user', key } = await this.tokens.verify(credential);
      if (role === 'user') return undefined;
      return key === undefined ? { kind: 'user', id, role } : { kind: 'api key', id: key.id, role };
    } catch (error) {
      if (error instanceof ChatError && ['unauthenticated', 'banned'].includes(error.code)) return undefined;
      throw error;
    }
  }
}

function refused(): ChatError {
  return new ChatError('forbidden', 'You may not ask this');
}

/** Of equal length whatever the input, as the comparison wants it. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
