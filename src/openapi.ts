import { writeFile } from 'node:fs/promises';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';
import { readConfig } from './config.js';
import { openApiOf } from './rest/openapi.js';

/**
 * `node dist/openapi.js docs/openapi.json` writes the OpenAPI document. It takes the routes from an application in preview
 * mode: none of its parts is made, so no database has to be there.
 */
const config = await readConfig({}, () =>
  Promise.resolve({ databaseUrl: 'postgres://none', jwtSecret: '', adminKey: '' }),
);
const app = await NestFactory.create(AppModule.with(config), { preview: true, abortOnError: false, logger: false });
await writeFile(process.argv[2] ?? 'docs/openapi.json', `${JSON.stringify(openApiOf(app), null, 2)}\n`);
