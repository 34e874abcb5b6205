import type { Type } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import type { Caller } from '../auth/caller.js';
import type { RequestName, RequestOf, ResultOf } from '../protocol/index.js';

/**
 * A class whose `@On` methods answer requests. Server options stand in the adapter alone: of several gateways' options
 * Nest keeps those of the last one.
 */
export function ChatGateway(): ClassDecorator {
  return WebSocketGateway();
}

type Handler<E extends RequestName> = (caller: Caller, request: RequestOf<E>) => Promise<ResultOf<E>>;

/** By request, the gateway and the method that answer it. */
export const answering = new Map<RequestName, { gateway: Type; method: string }>();

/**
 * Marks the handler of one request of the contract. The handler gets who asks and the checked request, and returns the
 * `data` of the reply; an event, a request or a result of another shape does not compile. `RequestDispatcher` calls it;
 * `@SubscribeMessage` would send each request through Nest's pipeline, which costs as much as all the rest of it.
 */
export function On<E extends RequestName>(event: E) {
  return (target: object, method: string, _descriptor: TypedPropertyDescriptor<Handler<E>>): void => {
    answering.set(event, { gateway: target.constructor as Type, method });
  };
}
