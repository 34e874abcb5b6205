import { createHash, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { bearer } from '../auth/bearer.js';
import { ChatError } from '../chat-error.js';
import type { Config } from '../config.js';
import { CONFIG } from '../config.token.js';

/** Lets the holder of the admin key pass. Where none is set, there is no admin REST at all. */
@Injectable()
export class AdminGuard implements CanActivate {
  constructor(@Inject(CONFIG) private readonly config: Config) {}

  canActivate(context: ExecutionContext): boolean {
    if (this.config.adminKey === undefined) throw new ChatError('not_found', 'There is no such route');
    const given = bearer(context.switchToHttp().getRequest<Request>().headers.authorization);
    if (!timingSafeEqual(digest(given), digest(this.config.adminKey)))
      throw new ChatError('forbidden', 'This is not the admin key');
    return true;
  }
}

/** Of equal length whatever the input, as the comparison wants it. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
