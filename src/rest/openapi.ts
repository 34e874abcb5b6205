import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import type { NextFunction, Request, Response } from 'express';
import { Problem } from './answers.js';
import { toOpenApi } from './openapi-schemas.js';
import { summaries } from './summaries.js';

/**
 * The REST contract, generated from the routes and the schemas that check their requests. It needs the routes alone: an
 * application in preview mode, which starts nothing, gives the same document as one that serves.
 * @throws when a route has no summary, or a summary no route
 */
export function openApiOf(app: INestApplication): OpenAPIObject {
  const base = new DocumentBuilder()
    .setTitle('Parley')
    .setDescription(
      'Chat rooms with one order. The same requests are served over Socket.IO; docs/protocol.md tells those, and what the error codes mean.',
    )
    .setVersion('1')
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'A user’s token' })
    .addSecurity('admin', { type: 'http', scheme: 'bearer', description: 'The admin key' })
    .build();
  const document = SwaggerModule.createDocument(app, base, {
    operationIdFactory: (controller, method) => `${controller.replace('Controller', '')}_${method}`,
    standardSchemaConverter: toOpenApi,
  });
  Object.assign(
    ((document.components ??= {}).schemas ??= {}),
    toOpenApi(Problem, { schemaType: 'output' })?.components,
  );
  summarize(document);
  return document;
}

/** The page at `/docs`, the document at `/docs/openapi.json` and `/docs/openapi.yaml`. */
export function serveDocs(app: INestApplication): void {
  app.use('/docs', allowInlineStyles);
  SwaggerModule.setup('docs', app, () => openApiOf(app), {
    jsonDocumentUrl: 'docs/openapi.json',
    yamlDocumentUrl: 'docs/openapi.yaml',
    customSiteTitle: 'Parley: REST',
  });
}

/** Swagger UI styles itself inline. Its scripts are files like ours, so nothing else is let loose, and only here. */
function allowInlineStyles(_request: Request, response: Response, next: NextFunction): void {
  const policy = String(response.getHeader('Content-Security-Policy'));
  response.setHeader('Content-Security-Policy', `${policy};style-src 'self' 'unsafe-inline'`);
  next();
}

function summarize(document: OpenAPIObject): void {
  const missing = new Map(Object.entries(summaries));
  for (const operation of Object.values(document.paths).flatMap((path) => [
    path.get,
    path.post,
    path.patch,
    path.delete,
  ])) {
    if (operation === undefined) continue;
    const id = operation.operationId ?? '';
    const summary = missing.get(id);
    if (summary === undefined) throw new Error(`summaries.ts says nothing of ${id}`);
    operation.summary = summary;
    missing.delete(id);
  }
  if (missing.size > 0)
    throw new Error(`summaries.ts tells of routes that do not exist: ${[...missing.keys()].join(', ')}`);
}
