import { Injectable } from '@nestjs/common';
import { AppKeys, type KeysState } from '../auth/app-keys.js';
import { Pulse } from '../database/pulse.js';
import { Drain } from '../realtime/drain.js';
import { RedisBus } from '../realtime/redis-bus.js';

export interface Readiness {
  ready: boolean;
  draining: boolean;
  database: boolean;
  /** `degraded`: other instances' changes arrive about a second late. That takes no readiness away. */
  bus: 'none' | 'healthy' | 'degraded';
  /** Of the app. They take no readiness away either: other instances read the same. */
  keys: KeysState;
}

@Injectable()
export class HealthService {
  constructor(
    private readonly pulse: Pulse,
    private readonly bus: RedisBus,
    private readonly drain: Drain,
    private readonly appKeys: AppKeys,
  ) {}

  async readiness(): Promise<Readiness> {
    const database = await this.pulse.beats();
    const bus = !this.bus.enabled ? 'none' : this.bus.healthy ? 'healthy' : 'degraded';
    const { draining } = this.drain;
    return { ready: database && !draining, draining, database, bus, keys: this.appKeys.state };
  }
}
