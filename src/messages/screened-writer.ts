import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Caller } from '../auth/caller.js';
import { ChatError } from '../chat-error.js';
import { BatchedRead } from '../database/batched-read.js';
import { errorCodes, type SendMessage } from '../protocol/index.js';
import { MembersService } from '../rooms/members.service.js';
import { Screening } from '../screening/screening.js';
import type { Hesitation, Verdict } from '../screening/verdict.js';
import { HeldMessages } from './held-messages.js';
import { MessageWriter } from './message-writer.js';
import { BEHIND_REFUSED, RefusedSends } from './refused-sends.js';
import { fingerprintOf } from './send-extras.js';
import type { Written } from './send-statement.js';

interface Sent {
  roomId: string;
  senderId: string;
  clientMsgId: string;
}

/** Screens what is sent, where anything is screened, on its way to the writer. */
@Injectable()
export class ScreenedWriter {
  private readonly stored = new BatchedRead((sends: readonly Sent[]) => this.areStored(sends));

  private readonly refused = new RefusedSends();

  constructor(
    private readonly screening: Screening,
    private readonly writer: MessageWriter,
    private readonly members: MembersService,
    private readonly held: HeldMessages,
    private readonly dataSource: DataSource,
  ) {}

  /** A retry is told by what was sent, not by what was made of it. @throws ChatError as `MessageWriter.write`, `rejected`, `held` */
  write(caller: Caller, request: SendMessage): Promise<Written> {
    const fingerprint = fingerprintOf(request);
    if (!this.screening.applies(request.roomId)) return this.writer.write(caller, request, fingerprint);
    const store = (verdict: Verdict): Promise<Written> => {
      const text = this.textOf(verdict, caller, request);
      return this.writer.write(caller, text === request.text ? request : { ...request, text }, fingerprint);
    };
    return this.screening.run(caller, request, store, (found) => this.review(caller, request, fingerprint, found));
  }

  /** @throws ChatError as `MessageWriter.write` */
  writeApproved(caller: Caller, request: SendMessage, fingerprint: string): Promise<Written> {
    return this.writer.write(caller, request, fingerprint);
  }

  /** Of a caller who pipelines what follows a send that he will send again is refused, too. @throws ChatError */
  private textOf(verdict: Verdict, caller: Caller, request: SendMessage): string {
    const isBehind = this.refused.standsBefore(caller, request);
    if ('held' in verdict) throw new ChatError('held', 'A moderator has to approve this first');
    if ('refusal' in verdict) {
      if (errorCodes[verdict.refusal.code].retryable && !isBehind) this.refused.note(caller, request);
      throw verdict.refusal;
    }
    if (!isBehind) return verdict.text;
    throw new ChatError('unavailable', 'A message before it is to be sent again', { retryAfterMs: BEHIND_REFUSED });
  }

  /**
   * What was stored once stays acknowledged: the writer finds it. Who is no member learns nothing of what the room refuses.
   * @throws ChatError as `MembersService.mustBeMember`
   */
  private async review(caller: Caller, request: SendMessage, fingerprint: string, found: Hesitation): Promise<Verdict> {
    const { roomId, clientMsgId, text } = request;
    if (await this.stored.get({ roomId, senderId: caller.id, clientMsgId })) return { text };
    await this.members.mustBeMember(caller.id, roomId);
    if ('held' in found) await this.held.keep(caller, { ...request, text: found.held }, fingerprint, found.reason);
    return found;
  }

  private async areStored(sends: readonly Sent[]): Promise<boolean[]> {
    const rows: unknown = await this.dataSource.query(
      `select exists (
         select from messages m where m.room_id = sent.room and m.sender_id = sent.sender and m.client_msg_id = sent.client_msg_id
       ) as stored
       from unnest($1::uuid[], $2::uuid[], $3::text[]) with ordinality as sent(room, sender, client_msg_id, place) order by place`,
      [
        sends.map(({ roomId }) => roomId),
        sends.map(({ senderId }) => senderId),
        sends.map(({ clientMsgId }) => clientMsgId),
      ],
    );
    return (rows as { stored: boolean }[]).map(({ stored }) => stored);
  }
}
