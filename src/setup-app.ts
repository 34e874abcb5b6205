import type { Server } from 'node:http';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Request } from 'express';
import helmet from 'helmet';
import { AppModule } from './app.module.js';
import { identifyRequest } from './auth/origin.js';
import type { Config } from './config.js';
import { limits } from './protocol/index.js';
import { QuietLogger } from './quiet-logger.js';
import { isAllowedOrigin } from './realtime/origins.js';
import { RedisBus } from './realtime/redis-bus.js';
import { RedisIoAdapter } from './realtime/redis-io.adapter.js';
import { inTurns } from './rest/in-turns.js';
import { serveDocs } from './rest/openapi.js';
import { ProblemFilter } from './rest/problem.filter.js';
import { validation } from './validation.js';

/**
 * The whole application, ready to listen. `main` and the tests call it, so what is tested is what runs.
 * @throws StartError where the configuration asks for what is not there
 */
export async function createApp(config: Config): Promise<NestExpressApplication> {
  const app = await NestFactory.create<NestExpressApplication>(AppModule.with(config), {
    bodyParser: false,
    abortOnError: false,
    logger: new QuietLogger(config.logLevel),
  });
  app.use(inTurns());
  app.useBodyParser('json', { limit: limits.payloadBytes });
  app.disable('x-powered-by');
  app.set('trust proxy', config.trustProxy);
  const http: Server & { connectionsCheckingInterval?: number } = app.getHttpServer();
  http.headersTimeout = 9_000;
  // Node looks every half a minute whether one of these is over; read when it begins to listen.
  http.connectionsCheckingInterval = 1_000;
  http.requestTimeout = 30_000;
  app.use(identifyRequest);
  app.use(securityHeaders());
  app.enableCors((request: Request, decide) => {
    const { origin, host } = request.headers;
    decide(null, {
      origin: isAllowedOrigin(origin, host, config.corsOrigins) ? origin : false,
      credentials: true,
      maxAge: 600,
    });
  });
  app.useGlobalPipes(validation);
  app.useGlobalFilters(new ProblemFilter());
  app.useWebSocketAdapter(new RedisIoAdapter(app, config));
  if (config.docs) serveDocs(app);
  app.useStaticAssets(config.webDir, { index: 'index.html' });
  try {
    await app.get(RedisBus).start();
  } catch (error) {
    await app.close();
    throw error;
  }
  return app;
}

/** Nothing is loaded from elsewhere, nothing runs inline; the page may talk to the origin that served it. */
function securityHeaders(): Parameters<INestApplication['use']>[0] {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        connectSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        objectSrc: ["'none'"],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    strictTransportSecurity: false, // TLS ends at the load balancer; it sends the header where there is TLS
    crossOriginResourcePolicy: { policy: 'same-origin' },
    referrerPolicy: { policy: 'no-referrer' },
  });
}
