import { ConsoleLogger, type LogLevel } from '@nestjs/common';
import { StartError } from './start-error.js';

const levels = ['error', 'warn', 'log', 'debug'] as const satisfies LogLevel[];

/** What Nest tells of its own start: a line a route, which drowns ours. */
const OF_NEST = new Set([
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'WebSocketsController',
  'NestFactory',
  'NestApplication',
]);

/** One line an event: text for a terminal, JSON where no person watches. */
export class QuietLogger extends ConsoleLogger {
  constructor(level: (typeof levels)[number]) {
    super({ logLevels: levels.slice(0, levels.indexOf(level) + 1), json: !process.stdout.isTTY, timestamp: false });
  }

  override log(message: unknown, ...context: unknown[]): void {
    const last = context.at(-1);
    if (typeof last === 'string' && OF_NEST.has(last)) return;
    super.log(message, ...(context as [string]));
  }

  /** Whoever starts Parley prints a `StartError` as the sentence that it is; Nest would print it before, with its stack. */
  override error(message: unknown, ...context: unknown[]): void {
    if (!(message instanceof StartError)) super.error(message, ...(context as [string]));
  }
}
