import { Injectable, Logger, Inject, type OnModuleInit } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Config } from '../config.js';
import { CONFIG } from '../config.token.js';
import { StartError } from '../start-error.js';

/** Settings of Postgres without which a committed message can be gone after a crash. */
const NEEDED = ['fsync', 'full_page_writes', 'synchronous_commit'] as const;

/** Looks at the start whether Postgres keeps what it commits: where it does not, every acknowledgement would be a lie. */
@Injectable()
export class Durability implements OnModuleInit {
  private readonly logger = new Logger(Durability.name);

  constructor(
    private readonly dataSource: DataSource,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** @throws StartError where `REQUIRE_DURABLE` is on */
  async onModuleInit(): Promise<void> {
    const rows: unknown = await this.dataSource.query(`select name, setting from pg_settings where name = any($1)`, [
      NEEDED,
    ]);
    const off = (rows as { name: string; setting: string }[])
      .filter(({ setting }) => setting === 'off')
      .map(({ name }) => name);
    if (off.length === 0) return;
    const sentence = `Postgres runs with ${off.join(' and ')} off, so messages that were acknowledged can be lost in a crash: turn ${off.length > 1 ? 'them' : 'it'} on`;
    if (this.config.requireDurable) throw new StartError(`${sentence}, or set REQUIRE_DURABLE=off.`);
    this.logger.error(`${sentence}.`);
  }
}
