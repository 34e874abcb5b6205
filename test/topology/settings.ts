import { readFileSync } from 'node:fs';

const source = readFileSync('src/config/environment.ts', 'utf8');
const schema = /const Environment = z\.object\(\{\n([\s\S]*?)\n\}\);/.exec(source)?.[1] ?? '';

/** Each setting of src/config/environment.ts, with its default as one would set it; undefined where it has none. */
export const settings = new Map(
  schema.split(/\n(?= {2}[A-Z])/).map((entry): [string, string | undefined] => {
    const name = /^\s*([A-Z_]+):/.exec(entry)?.[1];
    if (name === undefined) throw new Error(`No setting can be read from: ${entry}`);
    return [name, asSet(/\.default\(([^)]*)\)/.exec(entry)?.[1])];
  }),
);

export const settingNames = [...settings.keys()];

/** From how TypeScript writes it. */
function asSet(value: string | undefined): string | undefined {
  if (value === undefined || value === '[]') return undefined;
  if (value === 'true') return 'on';
  if (value === 'false') return 'off';
  return value.replaceAll(/['_]/g, '');
}
