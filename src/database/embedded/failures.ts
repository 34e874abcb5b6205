import { StartError } from '../../start-error.js';

/** One sentence from what Postgres or initdb wrote before it gave up. */
export function explain(output: string, dir: string, log?: string): StartError {
  if (/No space left on device|Disk quota exceeded|Check free disk space/.test(output)) return diskFull(dir);
  const version = /initialized by PostgreSQL version (\S+?),/.exec(output)?.[1];
  if (version) {
    return new StartError(
      `The data in ${dir} is of PostgreSQL ${version}, which this Parley cannot open: start the Parley that wrote it, or move ${dir} away to begin anew.`,
    );
  }
  const running = /Is another postmaster \(PID (\d+)\)/.exec(output)?.[1];
  if (running)
    return new StartError(`Another Postgres (pid ${running}) uses the data in ${dir}: stop it and start again.`);
  const reason = /(?:FATAL|PANIC|error):\s+(.*)/.exec(output)?.[1] ?? output.trim().split('\n').at(-1);
  return new StartError(
    `Postgres does not start on ${dir}: ${reason || 'it gave no reason'}${log ? ` (see ${log})` : ''}.`,
  );
}

export function inOneSentence(error: unknown, dir: string): StartError {
  if (error instanceof StartError) return error;
  // Making a directory on a read-only file system is reported as ENOENT.
  if (isCode(error, 'EACCES', 'EPERM', 'EROFS') || (isCode(error, 'ENOENT') && /, mkdir/.test(String(error)))) {
    return new StartError(
      `Parley may not write to ${dir}: give this user the right to, or choose another directory with DATA_DIR.`,
    );
  }
  if (isCode(error, 'ENOTDIR', 'EEXIST')) {
    return new StartError(
      `${dir} cannot be a directory, for a file is in its way: move it, or choose another directory with DATA_DIR.`,
    );
  }
  if (isCode(error, 'ENOSPC', 'EDQUOT')) return diskFull(dir);
  return new StartError(`The built-in Postgres does not start on ${dir}: ${String(error)}.`);
}

export function isCode(error: unknown, ...codes: string[]): boolean {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return codes.some((known) => known === code);
}

function diskFull(dir: string): StartError {
  return new StartError(`The disk is full: make room for ${dir} and start again.`);
}
