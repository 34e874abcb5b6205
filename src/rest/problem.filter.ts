import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Response } from 'express';
import { errorBodyOf } from '../error-body.js';
import { errorCodes } from '../protocol/index.js';
import type { Problem } from './answers.js';

/** Answers every failed REST request as `application/problem+json`. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  catch(error: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<Response>();
    const { message, ...body } = errorBodyOf(error);
    const { status } = errorCodes[body.code];
    const problem: Problem = {
      type: 'about:blank',
      title: body.code.replaceAll('_', ' '),
      status,
      detail: message,
      ...body,
    };
    if (response.headersSent) return void response.end();
    if (body.retryAfterMs !== undefined) response.setHeader('Retry-After', Math.ceil(body.retryAfterMs / 1000));
    response.status(status).type('application/problem+json').send(JSON.stringify(problem));
  }
}
