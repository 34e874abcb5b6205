import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Drain } from '../realtime/drain.js';
import { RedisBus } from '../realtime/redis-bus.js';

/** A database that takes longer than this to say 1 is not ready, in ms. */
const PATIENCE = 1_000;

export interface Readiness {
  ready: boolean;
  draining: boolean;
  database: boolean;
  /** `degraded`: other instances' changes arrive about a second late. That takes no readiness away. */
  bus: 'none' | 'healthy' | 'degraded';
}

@Injectable()
export class HealthService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly bus: RedisBus,
    private readonly drain: Drain,
  ) {}

  async readiness(): Promise<Readiness> {
    const database = await this.databaseAnswers();
    const bus = !this.bus.enabled ? 'none' : this.bus.healthy ? 'healthy' : 'degraded';
    const { draining } = this.drain;
    return { ready: database && !draining, draining, database, bus };
  }

  private async databaseAnswers(): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<false>((resolve) => (timer = setTimeout(() => resolve(false), PATIENCE)));
    const answer = this.dataSource.query('select 1').then(
      () => true,
      () => false,
    );
    return Promise.race([answer, late]).finally(() => clearTimeout(timer));
  }
}
