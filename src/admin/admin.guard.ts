import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { ChatError } from '../chat-error.js';
import type { AdminRequest } from './actor.js';

/** Lets pass whom `AdminDoor` let pass: a route that it does not stand before is closed to everybody. */
@Injectable()
export class AdminGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    if (context.switchToHttp().getRequest<AdminRequest>().actor === undefined)
      throw new ChatError('forbidden', 'You may not ask this');
    return true;
  }
}
