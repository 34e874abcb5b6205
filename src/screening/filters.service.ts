import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { uuidv7 } from 'uuidv7';
import { byCaller, record, type Act, type By } from '../audit/audit-log.js';
import type { Caller } from '../auth/caller.js';
import { ChatError } from '../chat-error.js';
import {
  limits,
  type AddFilter,
  type Filter,
  type FilterPage,
  type FilterRef,
  type FilterResult,
  type FilterRule,
  type ListMembers,
} from '../protocol/index.js';
import { Hints } from '../realtime/hints.js';
import { MembersService } from '../rooms/members.service.js';
import { FIRST_ID, pageOf, userIdOf } from '../rooms/pages.js';
import { RoomLedger } from '../rooms/room-ledger.js';
import { DEPLOYMENT, FilterCache } from './filter-cache.js';

type Page = Omit<ListMembers, 'roomId'>;
type FilterRow = Omit<Filter, 'createdAt'> & { createdAt: Date };

const COLUMNS = `id, nullif(scope, '${DEPLOYMENT}') as "roomId", kind, pattern, action, created_by as "createdBy",
  created_at as "createdAt"`;

/** Which words and links are filtered, in a room or everywhere. What changes here counts on this instance when it is answered. */
@Injectable()
export class FiltersService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly ledger: RoomLedger,
    private readonly members: MembersService,
    private readonly cache: FilterCache,
    private readonly hints: Hints,
  ) {}

  /** The same again changes its action. @throws ChatError `not_member`, `not_found`, `forbidden`, `conflict` past `limits.filters` */
  async add(caller: Caller, { roomId, ...rule }: AddFilter): Promise<FilterResult> {
    const result = await this.ledger.change(roomId, async (locked) => {
      await this.members.mustMay(locked, caller.id, 'filter:add');
      const result = await put(locked.manager, roomId, rule, caller.id);
      return { result, changes: [], audit: added(byCaller(caller), result) };
    });
    return this.told(result);
  }

  /** @throws ChatError `not_member`, `not_found` also for a filter, `forbidden` */
  async remove(caller: Caller, { roomId, filterId }: FilterRef): Promise<FilterResult> {
    const result = await this.ledger.change(roomId, async (locked) => {
      await this.members.mustMay(locked, caller.id, 'filter:remove');
      const result = await take(locked.manager, roomId, filterId);
      return { result, changes: [], audit: removed(byCaller(caller), result) };
    });
    return this.told(result);
  }

  /** Oldest first. @throws ChatError `not_member`, `not_found`, `forbidden` */
  async list(caller: Caller, { roomId, ...page }: ListMembers): Promise<FilterPage> {
    await this.members.mustBeOneWhoMay(caller.id, roomId, 'filter:list');
    return this.page(roomId, page);
  }

  /** For admins: in all rooms. @throws ChatError `conflict` past `limits.filters` */
  async addEverywhere(by: By, rule: FilterRule): Promise<FilterResult> {
    const result = await this.dataSource.transaction(async (manager) => {
      const stored = await put(manager, DEPLOYMENT, rule, by.id);
      await record(manager, added(by, stored));
      return stored;
    });
    return this.told(result);
  }

  /** @throws ChatError `not_found` */
  async removeEverywhere(by: By, filterId: string): Promise<FilterResult> {
    const result = await this.dataSource.transaction(async (manager) => {
      const taken = await take(manager, DEPLOYMENT, filterId);
      await record(manager, removed(by, taken));
      return taken;
    });
    return this.told(result);
  }

  listEverywhere(page: Page): Promise<FilterPage> {
    return this.page(DEPLOYMENT, page);
  }

  private async page(scope: string, { cursor, limit }: Page): Promise<FilterPage> {
    const rows: unknown = await this.dataSource.query(
      `select ${COLUMNS} from filters where scope = $1 and id > $2 order by id limit $3`,
      [scope, cursor === undefined ? FIRST_ID : userIdOf(cursor), limit + 1],
    );
    return pageOf((rows as FilterRow[]).map(toFilter), limit, ({ id }) => id);
  }

  /** After the commit. */
  private async told(result: FilterResult): Promise<FilterResult> {
    this.hints.give('filters');
    await this.cache.look();
    return result;
  }
}

function added(by: By, { filter: { id, kind, pattern, action } }: FilterResult): Act {
  return { by, action: 'filter.add', target: id, details: { kind, pattern, action } };
}

function removed(by: By, { filter: { id, kind, pattern } }: FilterResult): Act {
  return { by, action: 'filter.remove', target: id, details: { kind, pattern } };
}

async function put(manager: EntityManager, scope: string, rule: FilterRule, by: string | null): Promise<FilterResult> {
  const rev = await nextRev(manager);
  const { kind, pattern, action } = rule;
  const rows: unknown = await manager.query(
    `insert into filters (id, scope, kind, pattern, action, created_by, created_at)
     select $1, $2, $3, $4, $5, $6, clock_timestamp()
     where (select count(*) from filters where scope = $2) < $7
        or exists (select from filters where scope = $2 and kind = $3 and pattern = $4)
     on conflict (scope, kind, pattern) do update set action = excluded.action
     returning ${COLUMNS}`,
    [uuidv7(), scope, kind, pattern, action, by, limits.filters],
  );
  const [row] = rows as FilterRow[];
  if (row === undefined)
    throw new ChatError('conflict', `There may be ${limits.filters} filters at most; remove one first`);
  await stamp(manager, scope, rev);
  return { filter: toFilter(row) };
}

async function take(manager: EntityManager, scope: string, id: string): Promise<FilterResult> {
  const rev = await nextRev(manager);
  // A statement that changes gives TypeORM's query() the rows and their number.
  const [rows] = (await manager.query(`delete from filters where scope = $1 and id = $2 returning ${COLUMNS}`, [
    scope,
    id,
  ])) as unknown as [FilterRow[], number];
  const [row] = rows;
  if (row === undefined) throw new ChatError('not_found', 'There is no such filter');
  await stamp(manager, scope, rev);
  return { filter: toFilter(row) };
}

/** Holds back whoever else changes filters until this is committed. */
async function nextRev(manager: EntityManager): Promise<number> {
  const [rows] = (await manager.query(
    `update server_state set filters_rev = filters_rev + 1 returning filters_rev as rev`,
  )) as unknown as [{ rev: number }[], number];
  return rows[0]?.rev ?? 0;
}

async function stamp(manager: EntityManager, scope: string, rev: number): Promise<void> {
  await manager.query(
    `insert into filter_scopes (scope, filters, rev) select $1, count(*), $2 from filters where scope = $1
     on conflict (scope) do update set filters = excluded.filters, rev = excluded.rev`,
    [scope, rev],
  );
}

function toFilter({ id, roomId, kind, pattern, action, createdBy, createdAt }: FilterRow): Filter {
  return { id, roomId, kind, pattern, action, createdBy, createdAt: createdAt.toISOString() };
}
