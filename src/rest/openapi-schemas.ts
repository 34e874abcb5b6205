import type { SwaggerDocumentOptions } from '@nestjs/swagger';
import { z } from 'zod';
import * as protocol from '../protocol/index.js';
import { Problem } from './answers.js';

type Converter = NonNullable<SwaggerDocumentOptions['standardSchemaConverter']>;
type Names = z.core.$ZodRegistry<{ id: string }>;

/** What the document names once under `components`: everything that the contract has a name for. */
const names: Names = z.registry();
for (const [id, value] of Object.entries({ ...protocol, Problem })) {
  if (isNameable(value)) names.add(value, { id });
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
  const components = definitions as Record<string, object>;
  // A query is taken apart into its parameters, so a request stands where it is used.
  const reference = (own.$ref ?? own.allOf?.[0]?.$ref)?.split('/').at(-1);
  const name = schemaType === 'input' ? reference : undefined;
  if (name === undefined) return { schema: own, components };
  const { [name]: request, ...others } = components;
  return { schema: request, components: others };
};

function isNameable(value: unknown): value is z.ZodType {
  return value instanceof z.ZodObject || value instanceof z.ZodDiscriminatedUnion || value instanceof z.ZodEnum;
}
