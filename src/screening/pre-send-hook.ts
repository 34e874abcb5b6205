import { createHmac } from 'node:crypto';
import { Inject, Injectable, Logger } from '@nestjs/common';
import pLimit from 'p-limit';
import { uuidv7 } from 'uuidv7';
import { z } from 'zod';
import type { Caller } from '../auth/caller.js';
import { ChatError } from '../chat-error.js';
import type { Config } from '../config.js';
import { CONFIG } from '../config.token.js';
import { SendMessage } from '../protocol/index.js';
import type { Draft, Verdict } from './verdict.js';

/** Calls under way at the same time; others wait, and their time runs. */
const AT_ONCE = 64;
/** Calls that may wait for that; one more fails at once. */
const WAITING = 1_000;
/** After so many failures in a row nothing is asked for so long, in ms. Then the next failure is enough. */
const FAILURES = 5;
const REST = 5_000;
/** Largest answer, in bytes: room for the longest text, however it is escaped. */
const ANSWER_BYTES = 64 * 1024;
const REASON_LENGTH = 200;
/** After so long a client whose message could not be looked at may ask again, in ms. */
const RETRY_AFTER = 1_000;

const Answer = z.discriminatedUnion('action', [
  z.object({ action: z.literal('allow') }),
  z.object({ action: z.literal('reject'), reason: z.string().optional() }),
  z.object({ action: z.literal('mask'), text: SendMessage.shape.text }),
  z.object({ action: z.literal('hold'), text: SendMessage.shape.text.optional(), reason: z.string().optional() }),
]);
type Answer = z.output<typeof Answer>;

/** Asks the app what is to become of a message, over HTTP and for a bounded time. */
@Injectable()
export class PreSendHook {
  private readonly logger = new Logger(PreSendHook.name);
  private readonly line = pLimit(AT_ONCE);
  private readonly settings: Config['preSendHook'];
  private failures = 0;
  /** By `performance.now()`. */
  private restsUntil = 0;

  constructor(@Inject(CONFIG) { preSendHook }: Config) {
    this.settings = preSendHook;
  }

  get isSet(): boolean {
    return this.settings !== undefined;
  }

  /** Never rejects: where there is no answer, `PRE_SEND_HOOK_FAIL` is the answer. */
  async judge(caller: Caller, draft: Draft): Promise<Verdict> {
    const { settings } = this;
    if (settings === undefined) return { text: draft.text };
    const body = bodyOf(caller, draft);
    const deadline = performance.now() + settings.timeoutMs;
    const answer =
      this.line.pendingCount < WAITING ? await this.line(() => this.ask(settings, body, deadline)) : undefined;
    if (answer === undefined) return settings.fail === 'open' ? { text: draft.text } : { refusal: unanswered() };
    if (answer.action === 'allow') return { text: draft.text };
    if (answer.action === 'hold')
      return { held: answer.text ?? draft.text, reason: answer.reason?.slice(0, REASON_LENGTH) ?? '' };
    return answer.action === 'mask' ? { text: answer.text } : { refusal: rejected(answer.reason) };
  }

  /** Undefined where it failed. Who has waited too long for his turn was let down by the others' calls, and counts for none. */
  private async ask(
    { url, secret }: NonNullable<Config['preSendHook']>,
    body: string,
    deadline: number,
  ): Promise<Answer | undefined> {
    const now = performance.now();
    if (now < this.restsUntil || now >= deadline) return undefined;
    try {
      const answer = await call(url, secret, body, Math.ceil(deadline - now));
      this.failures = 0;
      return answer;
    } catch (error) {
      this.failures += 1;
      if (this.failures >= FAILURES) {
        this.restsUntil = performance.now() + REST;
        this.logger.warn(`The pre-send hook failed ${this.failures} times in a row, now: ${causeOf(error)}`);
      }
      return undefined;
    }
  }
}

/** @throws when the answer is none, is late, or is not of the contract */
async function call(url: string, secret: string, body: string, withinMs: number): Promise<Answer> {
  const at = Math.floor(Date.now() / 1_000);
  const signature = createHmac('sha256', secret).update(`${at}.${body}`).digest('hex');
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'parley-signature': `t=${at},v1=${signature}` },
    body,
    redirect: 'error',
    signal: AbortSignal.timeout(withinMs),
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`It answered ${response.status}`);
  }
  return Answer.parse(JSON.parse(await textOf(response)));
}

/** @throws past `ANSWER_BYTES` */
async function textOf(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += part.byteLength;
    // Leaving the loop cancels what is still to come.
    if (size > ANSWER_BYTES) throw new Error('The answer is too large');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function bodyOf(caller: Caller, { roomId, clientMsgId, text, meta, replyTo, threadRoot }: Draft): string {
  return JSON.stringify({
    id: uuidv7(),
    at: new Date().toISOString(),
    roomId,
    user: { id: caller.id, name: caller.name },
    clientMsgId,
    text,
    meta,
    replyTo,
    threadRoot,
    edit: clientMsgId === undefined,
  });
}

function rejected(reason = ''): ChatError {
  return new ChatError('rejected', reason.slice(0, REASON_LENGTH) || 'The message is not allowed here');
}

function unanswered(): ChatError {
  return new ChatError('unavailable', 'Who looks at messages did not answer; ask again', { retryAfterMs: RETRY_AFTER });
}

/** Fetch says what went wrong in the cause alone. */
function causeOf(error: unknown): string {
  return String((error as { cause?: unknown } | null)?.cause ?? error);
}
