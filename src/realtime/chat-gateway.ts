import {
  applyDecorators,
  createParamDecorator,
  UseInterceptors,
  UsePipes,
  type ExecutionContext,
} from '@nestjs/common';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import type { Caller } from '../auth/caller.js';
import { requests, type RequestName, type RequestOf, type ResultOf } from '../protocol/index.js';
import { validation } from '../validation.js';
import type { ChatSocket } from './chat-socket.js';
import { ReplyInterceptor } from './reply.interceptor.js';

/**
 * A class whose `@On` methods answer requests. Server options stand in the adapter alone: of several gateways' options
 * Nest keeps those of the last one.
 */
export function ChatGateway(): ClassDecorator {
  return applyDecorators(WebSocketGateway(), UseInterceptors(ReplyInterceptor), UsePipes(validation));
}

const CallerOfSocket = createParamDecorator(
  (_: unknown, context: ExecutionContext): Caller => context.switchToWs().getClient<ChatSocket>().data.caller,
);

type Handler<E extends RequestName> = (caller: Caller, request: RequestOf<E>) => Promise<ResultOf<E>>;

/**
 * Marks the handler of one request of the contract. The handler gets who asks and the checked request, and returns the
 * `data` of the reply; an event, a request or a result of another shape does not compile.
 */
export function On<E extends RequestName>(event: E) {
  return (target: object, key: string, descriptor: TypedPropertyDescriptor<Handler<E>>): void => {
    CallerOfSocket()(target, key, 0);
    MessageBody({ schema: requests[event].request })(target, key, 1);
    SubscribeMessage(event)(target, key, descriptor);
  };
}
