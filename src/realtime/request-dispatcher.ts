import { Inject, Injectable } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import pLimit from 'p-limit';
import type { ZodType } from 'zod';
import { checkScope, type Caller } from '../auth/caller.js';
import { ChatError } from '../chat-error.js';
import type { Config } from '../config.js';
import { CONFIG } from '../config.token.js';
import { Admission } from '../database/admission.js';
import { errorBodyOf } from '../error-body.js';
import { Limits } from '../limits/limits.js';
import { limits, requests, requestScopes, type Reply, type Scope } from '../protocol/index.js';
import { checked } from '../validation.js';
import { answering } from './chat-gateway.js';
import type { ChatServer, ChatSocket } from './chat-socket.js';
import { ConnectionGuard, type EngineConnection } from './connection-guard.js';
import { FrameWriter } from './frame-writer.js';
import { TokenBucket } from './token-bucket.js';

/** Longer than a request is on its way, in ms. */
const HOLD = 500;
/** Who still asks in the last part of it, in ms, has been told for some time, and does not listen. */
const LATE = 150;
/**
 * Of one socket's requests so many are worked on at a time, the others wait in its own line: together they would take every
 * connection to Postgres, and everybody else would wait. Sends go their own way, many in one commit.
 */
const AT_ONCE = 4;

interface Route {
  readonly schema: ZodType;
  readonly handle: (caller: Caller, request: unknown) => Promise<unknown>;
  readonly inLine: boolean;
  readonly scope: Scope;
}

/** What we use of what Socket.IO keeps for a connection; a test fails when a new version moves any of it. */
interface SocketIoIntake {
  readonly ondata: (data: unknown) => void;
}

/** The type of a Socket.IO packet that carries an event, and nothing binary. */
const EVENT = 0x32;
const LIST = 0x5b;
/** More than any client counts to. */
const DIGITS = 15;

type AnswerRequest = (reply: Reply<unknown>) => void;

/**
 * Takes what clients ask for to the gateway method that answers it, and answers each request exactly once. There is no pipeline
 * between the packet and the method: this is the way of every message.
 */
@Injectable()
export class RequestDispatcher {
  private readonly routes = new Map<string, Route>();

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly modules: ModuleRef,
    private readonly admission: Admission,
    private readonly guard: ConnectionGuard,
    private readonly writer: FrameWriter,
    private readonly limits: Limits,
  ) {}

  /** Called once, by the adapter, before the first connection. */
  attach(server: ChatServer): void {
    for (const [event, { gateway, method }] of answering) {
      const instance = this.modules.get<Record<string, Route['handle']>>(gateway, { strict: false });
      const handle = instance[method]?.bind(instance);
      if (handle === undefined) throw new Error(`${gateway.name} has no ${method}`);
      this.routes.set(event, {
        schema: requests[event].request,
        handle,
        inLine: event !== 'message:send',
        scope: requestScopes[event],
      });
    }
    server.on('connection', (socket) => {
      this.writer.attach(socket);
      const { ondata } = socket.client as unknown as SocketIoIntake;
      socket.conn.off('data', ondata);
      socket.conn.on('data', (data: unknown) => {
        if (!this.takePacket(socket, data)) ondata(data);
      });
      // What Socket.IO had to read: packets with binary parts, and names that are no request's.
      socket.onAny((event: string, ...args: unknown[]) => {
        const last = args.at(-1);
        const answer = typeof last === 'function' ? (args.pop() as AnswerRequest) : undefined;
        this.take(socket, event, args, answer);
      });
    });
  }

  /**
   * Reads the packet of a request as Socket.IO would, without its decoder and the two turns that it waits. False where it is
   * anything else, or broken: it is Socket.IO's, then.
   */
  private takePacket(socket: ChatSocket, data: unknown): boolean {
    if (typeof data !== 'string' || data.charCodeAt(0) !== EVENT) return false;
    let at = 1;
    let number = 0;
    for (let code = data.charCodeAt(at); code >= 0x30 && code <= 0x39; code = data.charCodeAt(++at))
      number = number * 10 + code - 0x30;
    if (data.charCodeAt(at) !== LIST || at > DIGITS) return false;
    let content: unknown[];
    try {
      content = JSON.parse(data.slice(at)) as unknown[];
    } catch {
      return false;
    }
    const event = content[0];
    if (typeof event !== 'string' || !this.routes.has(event)) return false;
    this.take(
      socket,
      event,
      content.slice(1),
      at === 1 ? undefined : (reply) => this.writer.answer(socket, number, reply),
    );
    return true;
  }

  /** @param answer undefined where no reply was asked for */
  private take(socket: ChatSocket, event: string, args: unknown[], answer: AnswerRequest | undefined): void {
    if (!socket.connected) return;
    const { data } = socket;
    const refuse = (error: unknown): void => answer?.({ ok: false, error: errorBodyOf(error) });
    const route = this.routes.get(event);
    try {
      if (route === undefined) throw new ChatError('unknown_event', 'There is no such request');
      this.mustBeWithinRates(socket);
      if (args.length > 1) throw new ChatError('invalid_argument', 'Send one object');
    } catch (error) {
      this.guard.noteRefusal(socket.conn as unknown as EngineConnection);
      refuse(error);
      return;
    }
    data.inFlight += 1;
    this.handle(socket, route, args[0]).then(
      (result) => {
        data.inFlight -= 1;
        answer?.({ ok: true, data: result });
      },
      (error: unknown) => {
        data.inFlight -= 1;
        refuse(error);
      },
    );
  }

  private async handle(socket: ChatSocket, { schema, handle, inLine, scope }: Route, body: unknown): Promise<unknown> {
    const { data } = socket;
    const request = checked(schema, body);
    if (!inLine) return handle(callerOf(socket, scope), request);
    data.line ??= pLimit(AT_ONCE);
    return data.line(() => {
      // Nobody waits for it any more, and a flood would be worked on long after its connection was cut.
      if (!socket.connected) throw new ChatError('unavailable', 'The connection has ended');
      return handle(callerOf(socket, scope), request);
    });
  }

  /**
   * Once a socket is refused, it is for `HOLD` ms, whatever it asks: what it had on its way when it was refused must not
   * overtake what it will send again.
   * @throws ChatError `rate_limited`, `overloaded`
   */
  private mustBeWithinRates(socket: ChatSocket): void {
    const { data } = socket;
    const now = performance.now();
    data.rate ??= new TokenBucket(this.config.limits.requestsPerSecond, this.config.limits.requestsPerSecond * 2);
    const isHeld = now < data.heldUntil;
    if (!isHeld && data.inFlight < limits.requestsInFlight && data.rate.take(1)) {
      const wait = this.limits.tryTake('requests', data.caller.id, 1, now);
      if (wait === 0) {
        this.admission.check();
        return;
      }
      data.heldUntil = now + Math.max(HOLD, wait);
    } else if (!isHeld) data.heldUntil = now + HOLD;
    if (!isHeld) this.guard.noteHold(socket.conn as unknown as EngineConnection);
    else if (data.heldUntil - now < LATE) this.guard.noteDeaf(socket.conn as unknown as EngineConnection);
    throw new ChatError('rate_limited', 'Too many requests', { retryAfterMs: Math.ceil(data.heldUntil - now) });
  }
}

/** Who asks, as long as his token holds: its connection is closed up to a second later. @throws ChatError `token_expired`, `forbidden` */
function callerOf({ data: { caller } }: ChatSocket, scope: Scope): Caller {
  if (caller.tokenExpiresAt <= Date.now()) throw new ChatError('token_expired', 'The token has expired');
  checkScope(caller, scope);
  return caller;
}
