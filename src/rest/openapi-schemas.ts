import type { SwaggerDocumentOptions } from '@nestjs/swagger';
import { z } from 'zod';
import * as protocol from '../protocol/index.js';
import { Problem } from './answers.js';

type Converter = NonNullable<SwaggerDocumentOptions['standardSchemaConverter']>;
type Names = z.core.$ZodRegistry<{ id: string }>;

/** What the document names once under `components`: everything the contract has a name for, but requests. */
const names: Names = z.registry();
const requestSchemas = new Set<unknown>(Object.values(protocol.requests).map(({ request }) => request));
for (const [id, value] of Object.entries({ ...protocol, Problem })) {
  if (isNameable(value) && !requestSchemas.has(value)) names.add(value, { id });
}

/** Turns the schemas that check requests and describe results into those of the document. */
export const toOpenApi: Converter = (schema, { schemaType }) => {
  const { definitions = {}, ...own } = z.toJSONSchema(schema as z.ZodType, {
    target: 'openapi-3.0',
    metadata: names,
    io: schemaType,
    override: ({ zodSchema, jsonSchema }) => {
      const { format, version } = zodSchema._zod.def as { format?: string; version?: string };
      // `format` says it; only a UUID of one version needs the pattern.
      if (format === 'datetime' || (format === 'uuid' && version === undefined)) delete jsonSchema.pattern;
      // Results may grow new fields: a client that refuses them would break.
      if (schemaType === 'output' && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
    },
  });
  return { schema: own, components: definitions as Record<string, object> };
};

function isNameable(value: unknown): value is z.ZodType {
  return value instanceof z.ZodObject || value instanceof z.ZodDiscriminatedUnion || value instanceof z.ZodEnum;
}
