import { applyDecorators, HttpCode } from '@nestjs/common';
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

const problemSchema: Record<string, object> = z.toJSONSchema(Problem, { target: 'openapi-3.0' }) as never;

/** The status of a route's good answer, and for the OpenAPI document the shapes of its answers. */
export function Answers(status: number, schema: z.ZodType): MethodDecorator {
  return applyDecorators(
    HttpCode(status),
    ApiResponse({ status, description: 'Done', standardSchema: schema }),
    ApiDefaultResponse({
      description: 'Refused or failed',
      content: { 'application/problem+json': { schema: problemSchema } },
    }),
  );
}
