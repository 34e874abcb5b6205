import { Injectable, Logger, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { FilterRule } from '../protocol/index.js';
import { Hints } from '../realtime/hints.js';
import { FilterSet } from './filter-set.js';

/** The scope of the deployment's filters; others are rooms. */
export const DEPLOYMENT = '00000000-0000-0000-0000-000000000000';
/** How often Postgres is asked what changed, in ms: so late it is where the bus has lost the news. */
const LOOK_EVERY = 2_000;
const PAGE = 1_000;
/** What the filters of rooms may take in all, in nodes of some thirty bytes; those that were not used for longest go. */
const MOST_NODES = 1_000_000;

interface ScopeRow {
  scope: string;
  filters: number;
  rev: number;
}

/**
 * The filters of this instance: the deployment's, always at hand; which rooms have any, an id a room; and those of rooms that were
 * written to lately. Postgres says what they are, and is looked at every two seconds, or at once where somebody is told to.
 */
@Injectable()
export class FilterCache implements OnModuleInit, BeforeApplicationShutdown {
  private readonly logger = new Logger(FilterCache.name);
  private readonly rooms = new Set<string>();
  /** Those not used for longest first. */
  private readonly compiled = new Map<string, FilterSet>();
  private readonly loading = new Map<string, Promise<FilterSet>>();
  private nodes = 0;
  private deployment: FilterSet | undefined;
  private rev = 0;
  private looking: Promise<void> | undefined;
  private asked = 0;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(
    private readonly dataSource: DataSource,
    private readonly hints: Hints,
  ) {}

  async onModuleInit(): Promise<void> {
    this.hints.on('filters', () => void this.look());
    while ((await this.take()) === PAGE);
    this.plan();
  }

  beforeApplicationShutdown(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  /** Whether anything is filtered in the room. */
  has(roomId: string): boolean {
    return this.deployment !== undefined || this.rooms.has(roomId);
  }

  /** What is filtered in the room; a promise where its own filters have to be read first. @throws what the database says */
  of(roomId: string): FilterSet[] | Promise<FilterSet[]> {
    const common = this.deployment === undefined ? [] : [this.deployment];
    if (!this.rooms.has(roomId)) return common;
    const own = this.compiled.get(roomId);
    if (own === undefined) return this.load(roomId).then((loaded) => [...common, loaded]);
    this.compiled.delete(roomId);
    this.compiled.set(roomId, own);
    return [...common, own];
  }

  /** Looks for what changed; resolves when it was looked for after this was called. Never rejects. */
  look(): Promise<void> {
    this.asked += 1;
    if (this.looking !== undefined) return this.looking;
    clearTimeout(this.timer);
    this.looking = this.lookOnce().finally(() => {
      this.looking = undefined;
      this.plan();
    });
    return this.looking;
  }

  private plan(): void {
    clearTimeout(this.timer);
    if (!this.stopped) this.timer = setTimeout(() => void this.look(), LOOK_EVERY);
  }

  private async lookOnce(): Promise<void> {
    try {
      for (let answered = 0; answered !== this.asked && !this.stopped;) {
        answered = this.asked;
        while ((await this.take()) === PAGE);
      }
    } catch (error) {
      if (!this.stopped) this.logger.warn(`Looking for changed filters failed: ${String(error)}`);
    }
  }

  private async take(): Promise<number> {
    const found: unknown = await this.dataSource.query(
      `select scope, filters, rev from filter_scopes where rev > $1 order by rev limit ${PAGE}`,
      [this.rev],
    );
    const rows = found as ScopeRow[];
    for (const { scope, filters, rev } of rows) {
      if (scope === DEPLOYMENT) this.deployment = filters === 0 ? undefined : await this.read(DEPLOYMENT);
      else {
        this.forget(scope);
        if (filters === 0) this.rooms.delete(scope);
        else this.rooms.add(scope);
      }
      this.rev = rev;
    }
    return rows.length;
  }

  /** Once for all who wait. What was changed meanwhile is not kept. */
  private load(roomId: string): Promise<FilterSet> {
    const known = this.loading.get(roomId);
    if (known !== undefined) return known;
    const loading = this.read(roomId)
      .then((set) => {
        if (this.loading.get(roomId) === loading) this.keep(roomId, set);
        return set;
      })
      .finally(() => {
        if (this.loading.get(roomId) === loading) this.loading.delete(roomId);
      });
    this.loading.set(roomId, loading);
    return loading;
  }

  private async read(scope: string): Promise<FilterSet> {
    const rows: unknown = await this.dataSource.query('select kind, pattern, action from filters where scope = $1', [
      scope,
    ]);
    return new FilterSet(rows as FilterRule[]);
  }

  private keep(roomId: string, set: FilterSet): void {
    this.compiled.set(roomId, set);
    this.nodes += set.size;
    for (const oldest of this.compiled.keys()) {
      if (this.nodes <= MOST_NODES || oldest === roomId) return;
      this.forget(oldest);
    }
  }

  private forget(roomId: string): void {
    this.nodes -= this.compiled.get(roomId)?.size ?? 0;
    this.compiled.delete(roomId);
    this.loading.delete(roomId);
  }
}
