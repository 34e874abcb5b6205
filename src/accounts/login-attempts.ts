import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

/** So many wrong tries in a row are looked at at once. */
export const FREE = 5;
/** The pause before the next one, doubled with each, in seconds; and the longest. */
const FIRST_PAUSE = 1;
const LONGEST_PAUSE = 15 * 60;
/** After so long without a try nothing is held against the next one. */
const FORGOTTEN = `interval '1 day'`;

/**
 * Counts tries, wrong until proven right, in Postgres, so that they count over all instances. A try is counted before its password
 * is looked at: those that are made at the same time do not get past the count.
 */
@Injectable()
export class LoginAttempts {
  constructor(private readonly dataSource: DataSource) {}

  /** Takes one try of what `subject` names, existing or not; 0 where it comes too early, otherwise its number in the row. */
  async take(subject: string): Promise<number> {
    const taken: unknown = await this.dataSource.query(
      `with taken as (
         insert into login_attempts as attempt (key, count, next_at, last_at)
         values ($1, 1, clock_timestamp(), clock_timestamp())
         on conflict (key) do update set
           count = case when attempt.last_at < clock_timestamp() - ${FORGOTTEN} then 1 else least(attempt.count, 1000) + 1 end,
           next_at = clock_timestamp() + make_interval(secs =>
             case when attempt.last_at < clock_timestamp() - ${FORGOTTEN} or attempt.count + 1 < ${FREE} then 0
                  else least(${FIRST_PAUSE} * 2.0 ^ least(attempt.count + 1 - ${FREE}, 20), ${LONGEST_PAUSE}) end),
           last_at = clock_timestamp()
         where attempt.next_at <= clock_timestamp()
         returning count)
       select count from taken`,
      [keyOf(subject)],
    );
    return (taken as { count: number }[])[0]?.count ?? 0;
  }

  /** The last try was right. */
  async forget(subject: string): Promise<void> {
    await this.dataSource.query(`delete from login_attempts where key = $1`, [keyOf(subject)]);
  }
}

function keyOf(subject: string): Buffer {
  return createHash('sha256').update(subject).digest();
}
