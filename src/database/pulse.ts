import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

/** A database that takes longer than this to say 1 does not answer, in ms. */
const PATIENCE = 1_000;

/** Whether Postgres can be asked, by asking it. */
@Injectable()
export class Pulse {
  constructor(private readonly dataSource: DataSource) {}

  /** Resolves within a second. Never throws. */
  async beats(): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<false>((resolve) => (timer = setTimeout(() => resolve(false), PATIENCE)));
    const answer = this.dataSource.query('select 1').then(
      () => true,
      () => false,
    );
    return Promise.race([answer, late]).finally(() => clearTimeout(timer));
  }
}
