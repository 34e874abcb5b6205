import { createParamDecorator, Injectable, SetMetadata, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request } from 'express';
import { Limits } from '../limits/limits.js';
import { bearer } from './bearer.js';
import { checkScope, type Caller } from './caller.js';
import { originOf } from './origin.js';
import { TokensService } from './tokens.service.js';

type SignedInRequest = Request & { caller?: Caller };

const READS = 'parley:reads';
/** Marks a route that changes nothing, though it is no GET. */
export const Reads = () => SetMetadata(READS, true);

/** Lets a REST request pass that carries a user's token, and keeps who it is for `@RestCaller()`. */
@Injectable()
export class SignedInGuard implements CanActivate {
  constructor(
    private readonly tokens: TokensService,
    private readonly reflector: Reflector,
    private readonly limits: Limits,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<SignedInRequest>();
    const caller = await this.tokens.verify(bearer(request.headers.authorization));
    const isReading =
      ['GET', 'HEAD'].includes(request.method) ||
      this.reflector.get<boolean | undefined>(READS, context.getHandler()) === true;
    checkScope(caller, isReading ? 'chat:read' : 'chat:write');
    this.limits.take('requests', caller.id);
    request.caller = { ...caller, ...originOf(request) };
    return true;
  }
}

export const RestCaller = createParamDecorator((_: unknown, context: ExecutionContext): Caller => {
  const { caller } = context.switchToHttp().getRequest<SignedInRequest>();
  if (caller === undefined) throw new Error('@RestCaller() on a route without SignedInGuard');
  return caller;
});
