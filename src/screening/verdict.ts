import type { ChatError } from '../chat-error.js';
import type { SendMessage } from '../protocol/index.js';

/** What somebody is about to say. An edit has no `clientMsgId`. */
export type Draft = Pick<SendMessage, 'roomId' | 'text' | 'meta' | 'replyTo' | 'threadRoot'> &
  Partial<Pick<SendMessage, 'clientMsgId'>>;

/** The text as it may be stored, or as it may be once a moderator approves it, or why it may not. */
export type Verdict = { readonly text: string } | Hesitation;
export type Hesitation =
  | { readonly refusal: ChatError }
  | { readonly held: string; /** The hook's; empty where a filter held it. */ readonly reason: string };
