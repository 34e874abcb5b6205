import { Injectable, Logger, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AccountTokens } from '../auth/account-tokens.js';

const EVERY = 3_600_000;
const AT_ONCE = 1_000;

/** Hourly, of what nothing asks for any more: sessions that are long over, tries that are not held against anybody. */
@Injectable()
export class AccountSweep implements OnModuleInit, BeforeApplicationShutdown {
  private readonly logger = new Logger(AccountSweep.name);
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly dataSource: DataSource,
    private readonly tokens: AccountTokens,
  ) {}

  onModuleInit(): void {
    if (this.tokens.on) this.timer = setInterval(() => void this.sweep(), EVERY);
  }

  beforeApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  /** Never rejects: what is left is found an hour later. */
  async sweep(): Promise<void> {
    try {
      // A day, so that every instance has seen the end of what it may have connections of.
      await this.empty(
        'account_sessions',
        'id',
        `coalesce(ended_at, expires_at) < clock_timestamp() - interval '1 day'`,
      );
      await this.empty('login_attempts', 'key', `last_at < clock_timestamp() - interval '1 day'`);
    } catch (error) {
      this.logger.warn(`Sweeping sessions failed: ${String(error)}`);
    }
  }

  private async empty(table: string, key: string, which: string): Promise<void> {
    for (let deleted = AT_ONCE; deleted === AT_ONCE;) {
      const rows: unknown = await this.dataSource.query(
        `with over as (select ${key} from ${table} where ${which} limit ${AT_ONCE} for update skip locked),
              deleted as (delete from ${table} where ${key} in (select ${key} from over) returning 1)
         select count(*)::int as count from deleted`,
      );
      deleted = (rows as [{ count: number }])[0].count;
    }
  }
}
