import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { AuditEntry, AuditPage, AuditQuery } from './admin-audit.schemas.js';

type Row = Omit<AuditEntry, 'at' | 'actor'> & {
  at: Date;
  actorKind: AuditEntry['actor']['kind'];
  actorId: string | null;
};

/** Who did what. It is read here and by `verify-audit`, and nothing changes it. */
@Injectable()
export class AdminAuditService {
  constructor(private readonly dataSource: DataSource) {}

  async list(query: AuditQuery): Promise<AuditPage> {
    const { actorId, action, target, roomId, from, to, cursor, limit } = query;
    const conditions: string[] = [];
    const values: unknown[] = [];
    const where = (condition: string, value: unknown) => {
      if (value === undefined) return;
      values.push(value);
      conditions.push(`${condition} $${values.length}`);
    };
    where('actor_id =', actorId);
    where('action =', action);
    where('target =', target);
    where('room_id =', roomId);
    where('at >=', from);
    where('at <', to);
    where('seq <', cursor);
    values.push(limit + 1);
    const rows: unknown = await this.dataSource.query(
      `select seq, at, action, actor_kind as "actorKind", actor_id as "actorId", target, room_id as "roomId", address,
              request_id as "requestId", details, encode(hash, 'hex') as hash
       from audit_log ${conditions.length > 0 ? `where ${conditions.join(' and ')}` : ''}
       order by seq desc limit $${values.length}`,
      values,
    );
    const items = (rows as Row[]).slice(0, limit).map(toEntry);
    const last = items.at(-1);
    return { items, nextCursor: (rows as Row[]).length > limit && last !== undefined ? String(last.seq) : null };
  }
}

function toEntry({ seq, at, action, actorKind: kind, actorId: id, ...rest }: Row): AuditEntry {
  return { seq, at: at.toISOString(), action, actor: { kind, id }, ...rest };
}
