import pg from 'pg';

const INT8 = 20;

/**
 * The `pg` client of every connection that Parley opens.
 *
 * A query that ran into `query_timeout` leaves its connection in an unknown state: the server may be gone without a word,
 * and stock `pg` gives such a client back to the pool, where it fails for ever (node-postgres#3399). Here it is destroyed,
 * so the pool opens a fresh one.
 */
export class PgClient extends pg.Client {
  override query(...args: unknown[]): never {
    const result: unknown = (super.query as (...args: unknown[]) => unknown)(...args);
    if (result instanceof Promise) {
      result.catch((error: unknown) => {
        if (error instanceof Error && error.message === 'Query read timeout') this.destroy();
      });
    }
    return result as never;
  }

  private destroy(): void {
    const { stream } = (this as unknown as { connection: { stream: { destroy(): void } } }).connection;
    stream.destroy();
  }
}

/** `bigint` columns (seq, rev, counts) come as numbers; one that a number cannot hold is an error, never a wrong value. */
export const pgTypes: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    if (oid !== INT8) return pg.types.getTypeParser(oid, format as 'text');
    return (text: string) => {
      const value = Number(text);
      if (!Number.isSafeInteger(value)) throw new RangeError(`bigint ${text} is beyond 2^53`);
      return value;
    };
  }) as pg.CustomTypesConfig['getTypeParser'],
};
