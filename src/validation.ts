import {
  StandardSchemaValidationPipe,
  type ArgumentMetadata,
  type StandardSchemaValidationPipeOptions,
} from '@nestjs/common';
import type { ZodType } from 'zod';
import { ChatError } from './chat-error.js';
import { isWithinBounds } from './payload.js';

/** Faults told in one refusal; the first ones say enough, and a hostile request may have thousands. */
const DETAILS = 5;

type Issue = Parameters<NonNullable<StandardSchemaValidationPipeOptions['exceptionFactory']>>[0][number];

/** Checks every request over REST against its schema, and says where it does not fit without repeating it. */
class Validation extends StandardSchemaValidationPipe {
  constructor() {
    super({
      exceptionFactory: refusalOf,
    });
  }

  /** The bounds come first: what follows walks the payload recursively. */
  override transform<T>(value: T, metadata: ArgumentMetadata): Promise<T> {
    if (metadata.type === 'body') mustBeWithinBounds(value);
    return super.transform<T>(value, metadata).catch((error: unknown) => {
      throw error instanceof TypeError ? unreadable() : error;
    });
  }
}

/** The same for a request that does not come through Nest: as its schema gives it. @throws ChatError `invalid_argument` */
export function checked<T>(schema: ZodType<T>, request: unknown): T {
  mustBeWithinBounds(request);
  const { success, data, error } = parsed(schema, request);
  if (success) return data;
  throw refusalOf(error.issues);
}

/**
 * Zod compares the `length` of whatever stands where a text has to stand, and what a client calls so may be an object that cannot be
 * compared: `{"length":{"toString":0}}` makes it throw.
 */
function parsed<T>(schema: ZodType<T>, request: unknown): ReturnType<ZodType<T>['safeParse']> {
  try {
    return schema.safeParse(request);
  } catch (error) {
    throw error instanceof TypeError ? unreadable() : error;
  }
}

function unreadable(): ChatError {
  return new ChatError('invalid_argument', 'The request does not fit its schema');
}

function mustBeWithinBounds(request: unknown): void {
  if (!isWithinBounds(request))
    throw new ChatError('invalid_argument', 'The request is too deep, too large or not plain JSON');
}

function refusalOf(issues: readonly Issue[]): ChatError {
  const details = issues.slice(0, DETAILS).map((issue) => `${placeOf(issue)}: ${faultOf(issue)}`);
  return new ChatError('invalid_argument', 'The request does not fit its schema', { details });
}

/** The field and places in lists. What else a path may hold, the keys of a record, was chosen by the client. */
function placeOf({ path = [] }: Issue): string {
  const parts = path.map((part) => (typeof part === 'object' ? part.key : part));
  const named = parts.filter((part, depth) => depth === 0 || typeof part === 'number');
  return named.length === 0 ? 'request' : named.map(String).join('.');
}

/** Zod names the fields that it does not know. */
function faultOf(issue: Issue): string {
  return (issue as { code?: string }).code === 'unrecognized_keys' ? 'Has unknown fields' : issue.message.slice(0, 200);
}

export const validation = new Validation();
