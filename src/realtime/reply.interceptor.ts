import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { catchError, map, of, type Observable } from 'rxjs';
import { errorBodyOf } from '../error-body.js';
import type { Reply } from '../protocol/index.js';

/** Turns what a handler returns or throws, and what the validation before it throws, into the reply of the contract. */
@Injectable()
export class ReplyInterceptor implements NestInterceptor<unknown, Reply<unknown>> {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<Reply<unknown>> {
    return next.handle().pipe(
      map((data): Reply<unknown> => ({ ok: true, data })),
      catchError((error: unknown) => of<Reply<unknown>>({ ok: false, error: errorBodyOf(error) })),
    );
  }
}
