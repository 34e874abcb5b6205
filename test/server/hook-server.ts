import { createHmac, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { compileFunction } from 'node:vm';

export const hookSecret = 'a-secret-that-only-the-hook-of-the-tests-knows-0123456789';

/** As docs/operations.md tells apps to look at what they are asked. */
const [, code = ''] =
  /<!-- The tests run this. -->\s+```js\n([\s\S]*?)```/.exec(readFileSync('docs/operations.md', 'utf8')) ?? [];
export const isFromParley = (
  compileFunction(`${code}\nreturn isFromParley;`, ['createHmac', 'timingSafeEqual', 'Buffer']) as (
    ...args: unknown[]
  ) => (header: string, body: string, secret: string, now?: number) => boolean
)(createHmac, timingSafeEqual, Buffer);

export interface Asked {
  id: string;
  at: string;
  roomId: string;
  user: { id: string; name: string };
  clientMsgId?: string;
  text: string;
  edit: boolean;
}

type Answer = (response: ServerResponse, asked: Asked) => void;

/** An app that is asked before messages are stored. Who signs wrongly is answered 401. */
export class HookServer {
  readonly asked: Asked[] = [];
  /** What it does with what it is asked. */
  answer: Answer = says({ action: 'allow' });
  underWay = 0;
  mostUnderWay = 0;

  private constructor(private readonly server: Server) {}

  static async start(): Promise<HookServer> {
    const server = createServer();
    const hook = new HookServer(server);
    server.on('request', (request, response) => void hook.take(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return hook;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/messages`;
  }

  texts(): string[] {
    return this.asked.map(({ text }) => text);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.mostUnderWay = Math.max(this.mostUnderWay, (this.underWay += 1));
    response.on('close', () => (this.underWay -= 1));
    let body = '';
    for await (const part of request.setEncoding('utf8')) body += String(part);
    const signature = String(request.headers['parley-signature']);
    if (request.method !== 'POST' || !isFromParley(signature, body, hookSecret))
      return void response.writeHead(401).end();
    const asked = JSON.parse(body) as Asked;
    this.asked.push(asked);
    this.answer(response, asked);
  }
}

export function says(answer: unknown): Answer {
  return (response) =>
    void response
      .setHeader('content-type', 'application/json')
      .end(typeof answer === 'string' ? answer : JSON.stringify(answer));
}
