import {
  StandardSchemaValidationPipe,
  type ArgumentMetadata,
  type StandardSchemaValidationPipeOptions,
} from '@nestjs/common';
import { ChatError } from './chat-error.js';
import { isWithinBounds } from './payload.js';

/** Faults told in one refusal; the first ones say enough, and a hostile request may have thousands. */
const DETAILS = 5;

type Issue = Parameters<NonNullable<StandardSchemaValidationPipeOptions['exceptionFactory']>>[0][number];

/** Checks every request, from a socket or over REST, against its schema, and says where it does not fit without repeating it. */
class Validation extends StandardSchemaValidationPipe {
  constructor() {
    super({
      exceptionFactory: (issues) => {
        const details = issues.slice(0, DETAILS).map((issue) => `${placeOf(issue)}: ${faultOf(issue)}`);
        return new ChatError('invalid_argument', 'The request does not fit its schema', { details });
      },
    });
  }

  /** The bounds come first: what follows walks the payload recursively. */
  override transform<T>(value: T, metadata: ArgumentMetadata): Promise<T> {
    if (metadata.type === 'body' && !isWithinBounds(value)) {
      throw new ChatError('invalid_argument', 'The request is too deep, too large or not plain JSON');
    }
    return super.transform(value, metadata);
  }
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
