import pg from 'pg';

const INT8 = 20;

/** The parts of a `pg` client that its types do not tell. A test fails when a new version moves them. */
interface Internals {
  connection: { stream: { destroy(): void } };
  _activeQuery: unknown;
}

/**
 * The `pg` client of every connection that Parley opens.
 *
 * A query that ran into `query_timeout` leaves its connection in an unknown state: the server may be gone without a word,
 * and stock `pg` gives such a client back to the pool, where it fails for ever (node-postgres#3399). Here it is destroyed,
 * so the pool opens a fresh one; and with it those that idle on the same server, for what swallowed one connection has
 * likely swallowed them all, and each would cost somebody another timeout to find out. The same goes for a server that has
 * become read-only: after a failover a connection leads to the primary of before, and only a new one to that of now.
 */
export class PgClient extends pg.Client {
  private static readonly open = new Set<PgClient>();

  constructor(config?: string | pg.ClientConfig) {
    super(config);
    PgClient.open.add(this);
    this.once('end', () => PgClient.open.delete(this));
  }

  override query(...args: unknown[]): never {
    const look = (error: unknown): void => {
      if (isLeftBehind(error)) this.distrust();
    };
    // A pool asks with a callback, TypeORM for a promise.
    const callback = args.at(-1);
    if (typeof callback === 'function') {
      args[args.length - 1] = (error: unknown, result: unknown) => {
        look(error);
        (callback as (error: unknown, result: unknown) => void)(error, result);
      };
    }
    const result: unknown = (super.query as (...args: unknown[]) => unknown)(...args);
    if (result instanceof Promise) result.catch(look);
    return result as never;
  }

  private distrust(): void {
    this.cut();
    for (const other of PgClient.open) {
      const idle = (other as unknown as Internals)._activeQuery == null;
      if (idle && other.host === this.host && other.port === this.port) other.cut();
    }
  }

  private cut(): void {
    PgClient.open.delete(this);
    (this as unknown as Internals).connection.stream.destroy();
  }
}

const READ_ONLY = '25006';

function isLeftBehind(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.message === 'Query read timeout' || (error as { code?: unknown }).code === READ_ONLY;
}

type Parser = (text: string) => unknown;
const stockParser = pg.types.getTypeParser as (oid: number, format?: 'text' | 'binary') => Parser;

/** `bigint` columns (seq, rev, counts) come as numbers; one that a number cannot hold is an error, never a wrong value. */
export const pgTypes = {
  getTypeParser(oid: number, format?: 'text' | 'binary'): Parser {
    if (oid !== INT8) return stockParser(oid, format);
    return (text) => {
      const value = Number(text);
      if (!Number.isSafeInteger(value)) throw new RangeError(`bigint ${text} is beyond 2^53`);
      return value;
    };
  },
};
