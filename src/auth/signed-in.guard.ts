import { createParamDecorator, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { bearer } from './bearer.js';
import type { Caller } from './caller.js';
import { TokensService } from './tokens.service.js';

type SignedInRequest = Request & { caller?: Caller };

/** Lets a REST request pass that carries a user's token, and keeps who it is for `@RestCaller()`. */
@Injectable()
export class SignedInGuard implements CanActivate {
  constructor(private readonly tokens: TokensService) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<SignedInRequest>();
    request.caller = await this.tokens.verify(bearer(request.headers.authorization));
    return true;
  }
}

export const RestCaller = createParamDecorator((_: unknown, context: ExecutionContext): Caller => {
  const { caller } = context.switchToHttp().getRequest<SignedInRequest>();
  if (caller === undefined) throw new Error('@RestCaller() on a route without SignedInGuard');
  return caller;
});
