import { readFile, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { errorCodes, limits, requests } from '../src/protocol/index.js';

/** The page beside this file, whose tables are made from the contract itself. `npm run protocol` writes them anew. */
export const page = new URL('./protocol.md', import.meta.url);

interface JsonSchema {
  properties?: Record<string, JsonSchema>;
  required?: string[];
  oneOf?: JsonSchema[];
  anyOf?: JsonSchema[];
}

/** The page's text with the tables as they must be. */
export async function withTables(): Promise<string> {
  const text = await readFile(page, 'utf8');
  return Object.entries(tables()).reduce(
    (changed, [name, table]) =>
      changed.replace(
        new RegExp(`(<!-- ${name} -->\\n)[\\s\\S]*?(<!-- end -->)`),
        (_, begin: string, end: string) => `${begin}\n${table}\n\n${end}`,
      ),
    text,
  );
}

function tables(): Record<string, string> {
  const events = Object.entries(requests).map(([name, { request, result }]) => [
    `\`${name}\``,
    fields(request, 'input'),
    fields(result, 'output'),
  ]);
  const errors = Object.entries(errorCodes).map(([code, { retryable, status }]) => [
    `\`${code}\``,
    retryable ? 'yes' : 'no',
    String(status),
  ]);
  const bounds = Object.entries(limits).map(([name, value]) => [`\`${name}\``, value.toLocaleString('en')]);
  return {
    requests: table(['request', 'fields', 'data of the reply'], events),
    errors: table(['code', 'retryable', 'HTTP'], errors),
    limits: table(['limit', 'value'], bounds),
  };
}

/** The names of an object's fields; a question mark stands behind those that may be left out. */
function fields(schema: z.ZodType, io: 'input' | 'output'): string {
  return shape(z.toJSONSchema(schema, { io }) as JsonSchema);
}

function shape({ properties = {}, required = [], oneOf, anyOf }: JsonSchema): string {
  const either = oneOf ?? anyOf;
  if (either !== undefined) return either.map(shape).join(' or ');
  return `\`{ ${Object.keys(properties)
    .map((name) => (required.includes(name) ? name : `${name}?`))
    .join(', ')} }\``;
}

function table(head: string[], rows: string[][]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

if (process.argv[1]?.endsWith('protocol-page.ts') === true) await writeFile(page, await withTables());
