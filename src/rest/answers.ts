import { applyDecorators, Header, HttpCode } from '@nestjs/common';
import { ApiDefaultResponse, ApiResponse } from '@nestjs/swagger';
import { z } from 'zod';
import { ErrorBody } from '../protocol/index.js';

/** What REST answers an error with (RFC 9457, `application/problem+json`): the fields of the contract's error and the standard ones. */
export const Problem = ErrorBody.omit({ message: true }).extend({
  type: z.literal('about:blank'),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
});
export type Problem = z.output<typeof Problem>;

/**
 * The status of a route's good answer, and for the OpenAPI document the shapes of its answers. A handler that returns
 * another shape does not compile.
 */
export function Answers<S extends z.ZodType>(status: number, schema: S) {
  const decorate = applyDecorators(
    HttpCode(status),
    Header('Cache-Control', 'no-store'),
    ApiResponse({ status, description: 'Done', standardSchema: schema }),
    ApiDefaultResponse({
      description: 'Refused or failed',
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    }),
  );
  return <H extends (...args: never[]) => Promise<z.output<S>>>(
    target: object,
    key: string,
    descriptor: TypedPropertyDescriptor<H>,
  ): void => {
    decorate(target, key, descriptor);
  };
}
