import { randomUUID } from 'node:crypto';
import type { Request, Response, NextFunction } from 'express';

/** One that the balancer or the app gave is kept, where it looks like one. */
const REQUEST_ID = /^[\w.:-]{8,128}$/;
const ids = new WeakMap<Request, string>();

/** Gives each request over REST an id, which is told in the reply and stands in the audit log. */
export function identifyRequest(request: Request, response: Response, next: NextFunction): void {
  const given = request.get('x-request-id');
  const id = given !== undefined && REQUEST_ID.test(given) ? given : randomUUID();
  ids.set(request, id);
  response.setHeader('X-Request-Id', id);
  next();
}

/** Where a request came from, and its id. */
export interface Origin {
  readonly address: string;
  readonly requestId: string;
}

export function originOf(request: Request): Origin {
  return { address: request.ip ?? '', requestId: ids.get(request) ?? '' };
}
