import { createHash } from 'node:crypto';

/** Rows that are looked at in one query. */
const PAGE = 10_000;

/** Whatever can query: a pool, a data source. */
type Query = (sql: string, values: unknown[]) => Promise<unknown>;

export type ChainState =
  | { ok: true; seq: number; /** In hex. */ head: string }
  | { ok: false; /** The first row that does not follow from the one before it. */ seq: number; why: string };

interface Row {
  seq: number;
  hash: string;
  previous: string;
  /** What the hash is of, apart from the hash before it. */
  content: string;
}

/**
 * The content as `audit_hash` in the database takes it, said here once more: whoever can change rows can change a function, too, so
 * nothing of the database's own is asked what the hash should be.
 */
const CONTENT = `jsonb_build_array(
  seq, to_char(at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.MS'), action, actor_kind, actor_id, target, room_id, address, request_id, details
)::text`;

/**
 * Goes through the chain from its beginning to the head that there is when it begins. That nobody took away its end, and made it
 * anew, only a head can tell that was kept elsewhere.
 * @param kept a head of before, as this told it: `seq` and `head`
 */
export async function verifyChain(query: Query, kept?: { seq: number; head: string }): Promise<ChainState> {
  const heads = await query(`select seq::float8 as seq, encode(hash, 'hex') as hash from audit_head`, []);
  const [head] = heads as { seq: number; hash: string }[];
  let last = { seq: 0, hash: sha256('', '') };
  if (head === undefined) return { ok: false, seq: 1, why: 'it is missing' };
  for (let rows: Row[] = []; last.seq < head.seq;) {
    rows = (await query(
      `select seq::float8 as seq, encode(hash, 'hex') as hash, encode(previous, 'hex') as previous, ${CONTENT} as content
       from audit_log where seq > $1 and seq <= $2 order by seq limit ${PAGE}`,
      [last.seq, head.seq],
    )) as Row[];
    if (rows.length === 0) break;
    for (const row of rows) {
      if (row.seq !== last.seq + 1) return { ok: false, seq: last.seq + 1, why: 'it is missing' };
      if (row.previous !== last.hash)
        return { ok: false, seq: row.seq, why: 'it does not follow on the one before it' };
      if (row.hash !== sha256(row.previous, row.content)) return { ok: false, seq: row.seq, why: 'it was changed' };
      if (kept?.seq === row.seq && kept.head !== row.hash)
        return { ok: false, seq: row.seq, why: 'it had another hash' };
      last = row;
    }
  }
  if (head.seq !== last.seq || head.hash !== last.hash) return { ok: false, seq: last.seq + 1, why: 'it is missing' };
  if (kept !== undefined && kept.seq > last.seq) return { ok: false, seq: last.seq + 1, why: 'it is missing' };
  return { ok: true, seq: last.seq, head: last.hash };
}

/** @param previous in hex */
function sha256(previous: string, content: string): string {
  return createHash('sha256').update(Buffer.from(previous, 'hex')).update(content).digest('hex');
}
