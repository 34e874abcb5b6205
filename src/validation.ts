import { StandardSchemaValidationPipe, type ArgumentMetadata } from '@nestjs/common';
import { ChatError } from './chat-error.js';
import { isWithinBounds } from './payload.js';

/** Faults told in one refusal; the first ones say enough, and a hostile request may have thousands. */
const DETAILS = 10;

/** Checks every request, from a socket or over REST, against its schema, and says where it does not fit without repeating it. */
class Validation extends StandardSchemaValidationPipe {
  constructor() {
    super({
      exceptionFactory: (issues) => {
        const details = issues.slice(0, DETAILS).map(({ path, message }) => {
          const place = (path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
          return `${place.slice(0, 80)}: ${message.slice(0, 200)}`;
        });
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

export const validation = new Validation();
