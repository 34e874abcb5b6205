import { Injectable } from '@nestjs/common';
import type { Caller } from '../auth/caller.js';
import { ChatError } from '../chat-error.js';
import { isTransient } from '../database/failures.js';
import { FilterCache } from './filter-cache.js';
import { screened, type FilterSet } from './filter-set.js';
import { PreSendHook } from './pre-send-hook.js';
import { Turns } from './turns.js';
import type { Draft, Hesitation, Verdict } from './verdict.js';

/** The one place that every text passes on its way to be stored, whether it is new or edited. */
@Injectable()
export class Screening {
  private readonly turns = new Turns();

  constructor(
    private readonly filters: FilterCache,
    private readonly hook: PreSendHook,
  ) {}

  /** Whether anything has a say in what is written in the room. Costs nothing. */
  applies(roomId: string): boolean {
    return this.hook.isSet || this.filters.has(roomId) || this.turns.size > 0;
  }

  /**
   * Begins `step` with the verdict; of one caller in one room in the order of these calls. At once where nothing has to be waited
   * for.
   * @param review a second look at what may not be stored as it is, before the turn is over
   */
  run<R>(
    caller: Caller,
    draft: Draft,
    step: (verdict: Verdict) => Promise<R>,
    review: (hesitation: Hesitation) => Promise<Verdict> = (hesitation) => Promise.resolve(hesitation),
  ): Promise<R> {
    const key = `${draft.roomId} ${caller.id}`;
    const verdict = this.judge(caller, draft);
    if (verdict instanceof Promise || this.turns.isWaiting(key) || !('text' in verdict))
      return this.turns.take(key, reviewed(verdict, review), step);
    return step(verdict);
  }

  private judge(caller: Caller, draft: Draft): Verdict | Promise<Verdict> {
    const verdict = this.filter(draft);
    return this.hook.isSet ? this.ask(caller, draft, verdict) : verdict;
  }

  /** The hook sees what the filters left. */
  private async ask(caller: Caller, draft: Draft, verdict: Verdict | Promise<Verdict>): Promise<Verdict> {
    const found = await verdict;
    return !('text' in found) ? found : this.hook.judge(caller, { ...draft, text: found.text });
  }

  private filter(draft: Draft): Verdict | Promise<Verdict> {
    const sets = this.filters.of(draft.roomId);
    return sets instanceof Promise ? sets.then((loaded) => filtered(draft, loaded)) : filtered(draft, sets);
  }
}

async function reviewed(
  verdict: Verdict | Promise<Verdict>,
  review: (hesitation: Hesitation) => Promise<Verdict>,
): Promise<Verdict> {
  try {
    const found = await verdict;
    return 'text' in found ? found : await review(found);
  } catch (error) {
    if (!isTransient(error)) throw error;
    return {
      refusal: new ChatError('unavailable', 'The database does not answer; ask again', { retryAfterMs: 1_000 }),
    };
  }
}

function filtered({ text }: Draft, sets: readonly FilterSet[]): Verdict {
  const found = screened(text, sets);
  if (found.action === 'reject')
    return { refusal: new ChatError('rejected', 'The message has what is not allowed here') };
  return found.action === 'hold' ? { held: found.text, reason: '' } : { text: found.text };
}
