import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Stands in for an instance where only the balancer is of interest: answers with its name and what it was asked. */
export interface FakeInstance {
  readonly address: string;
  ready: boolean;
  /** Hangs up on every request, after having heard it. */
  broken: boolean;
  /** Methods and paths of the requests that reached it, health checks apart. */
  readonly heard: string[];
  stop(): Promise<void>;
}

export interface FakeAnswer {
  instance: string;
  headers: IncomingHttpHeaders;
}

export async function startFake(name: string): Promise<FakeInstance> {
  const server = createServer((request, response) => {
    if (request.url === '/health/ready') {
      response.statusCode = fake.ready ? 200 : 503;
      response.end();
      return;
    }
    fake.heard.push(`${request.method} ${request.url}`);
    if (fake.broken) {
      request.socket.destroy();
      return;
    }
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ instance: name, headers: request.headers } satisfies FakeAnswer));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const fake: FakeInstance = {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    ready: true,
    broken: false,
    heard: [],
    stop: async () => {
      if (!server.listening) return;
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  return fake;
}
