import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import type { By } from '../audit/audit-log.js';
import type { ServiceRole } from '../auth/caller.js';

/** Who asks the admin REST. */
export interface Actor extends By {
  readonly role: Exclude<ServiceRole, 'user'>;
}

export type AdminRequest = Request & { actor?: Actor };

export const TheActor = createParamDecorator((_: unknown, context: ExecutionContext): Actor => {
  const { actor } = context.switchToHttp().getRequest<AdminRequest>();
  if (actor === undefined) throw new Error('@TheActor() on a route that AdminDoor does not stand before');
  return actor;
});
