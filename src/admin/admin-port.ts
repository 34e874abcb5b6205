import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { Config } from '../config.js';
import { CONFIG } from '../config.token.js';
import { StartError } from '../start-error.js';

/** Where `ADMIN_PORT` is set, the admin REST is served there and nothing else is, and it is not served anywhere else. */
@Injectable()
export class AdminPort implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly came = new WeakSet<IncomingMessage>();
  private server: Server | undefined;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly host: HttpAdapterHost,
  ) {}

  /** Whether a request to the admin REST came by the way that is meant for it. */
  isRight(request: IncomingMessage): boolean {
    return this.config.admin === undefined || this.came.has(request);
  }

  get url(): string | undefined {
    const address = this.server?.address() as AddressInfo | null | undefined;
    return address ? `http://127.0.0.1:${address.port}` : undefined;
  }

  /** @throws StartError when the address is not to be had */
  async onApplicationBootstrap(): Promise<void> {
    const { admin } = this.config;
    if (admin === undefined) return;
    const serve = this.host.httpAdapter.getInstance<RequestListener>();
    const server = createServer({ headersTimeout: 10_000, requestTimeout: 30_000 }, (request, response) => {
      if (!/^\/admin\//.test(request.url ?? '')) return void response.writeHead(404).end();
      this.came.add(request);
      serve(request, response);
    });
    this.server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(admin.port, admin.host, resolve);
    }).catch((error: unknown) => {
      const { code } = error as { code?: string };
      throw new StartError(`ADMIN_PORT=${admin.port} on ${admin.host} cannot be listened on (${code}).`);
    });
  }

  beforeApplicationShutdown(): void {
    this.server?.close();
    this.server?.closeAllConnections();
  }
}
