import { readFileSync } from 'node:fs';
import { StartError } from '../start-error.js';

/** What a file may have, in bytes: it is one setting. */
const MOST = 65_536;

/**
 * Settings with those that stand in files: `JWT_SECRET_FILE=/run/secrets/jwt` is `JWT_SECRET` with what is in that file, without
 * the line end that editors add. So secrets need not be in the environment, which other processes may see and crashes write down.
 * @param names what can be set
 * @throws StartError for a file that cannot be read, and a setting that is there twice
 */
export function withFiles(environment: NodeJS.ProcessEnv, names: readonly string[]): NodeJS.ProcessEnv {
  const settings = { ...environment };
  for (const name of names) {
    const path = environment[`${name}_FILE`];
    if (path === undefined) continue;
    if (environment[name] !== undefined)
      throw new StartError(`${name} and ${name}_FILE are both set, and it can be only one: take the other one out.`);
    settings[name] = contentOf(path, `${name}_FILE`);
  }
  return settings;
}

function contentOf(path: string, name: string): string {
  let content;
  try {
    content = readFileSync(path, 'utf8').trimEnd();
  } catch (error) {
    throw new StartError(
      `${name} names a file that cannot be read (${(error as Error).message}): correct the path, or who may read it.`,
    );
  }
  if (content === '') throw new StartError(`${name} names a file with nothing in it: ${path}`);
  if (content.length > MOST) throw new StartError(`${name} names a file of more than ${MOST} bytes: ${path}`);
  return content;
}
