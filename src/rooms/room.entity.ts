import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { HistoryVisible, Room, RoomKind, RoomSummary, Visibility } from '../protocol/index.js';

@Entity('rooms')
export class RoomEntity {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('text')
  name!: string;

  @Column('text')
  topic!: string;

  @Column('text')
  kind!: RoomKind;

  /** Of a direct room the two whose it is, the lower id first. */
  @Column({ type: 'uuid', name: 'direct_low', nullable: true })
  directLow!: string | null;

  @Column({ type: 'uuid', name: 'direct_high', nullable: true })
  directHigh!: string | null;

  @Column('text')
  visibility!: Visibility;

  @Column({ type: 'boolean', name: 'read_only' })
  readOnly!: boolean;

  @Column('jsonb')
  meta!: Record<string, unknown>;

  @Column({ type: 'int', name: 'slow_mode_s' })
  slowModeS!: number;

  @Column({ type: 'int', name: 'member_limit', nullable: true })
  memberLimit!: number | null;

  @Column({ type: 'text', name: 'history_visible' })
  historyVisible!: HistoryVisible;

  @Column({ type: 'boolean', name: 'join_requests' })
  joinRequests!: boolean;

  @Column({ type: 'uuid', name: 'created_by' })
  createdBy!: string;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3 })
  createdAt!: Date;

  @Column({ type: 'timestamptz', name: 'archived_at', precision: 3, nullable: true })
  archivedAt!: Date | null;

  @Column({ type: 'int', name: 'member_count' })
  memberCount!: number;

  /** The position of the newest message. */
  @Column('bigint')
  seq!: number;

  /** The number of the newest change of anything in the room. */
  @Column('bigint')
  rev!: number;

  /** The number of the newest change of the room's own settings. */
  @Column({ type: 'bigint', name: 'settings_rev' })
  settingsRev!: number;
}

export function toRoom(room: RoomEntity): Room {
  return {
    id: room.id,
    rev: room.settingsRev,
    name: room.name,
    topic: room.topic,
    kind: room.kind,
    visibility: room.visibility,
    readOnly: room.readOnly,
    meta: room.meta,
    slowModeS: room.slowModeS,
    memberLimit: room.memberLimit,
    historyVisible: room.historyVisible,
    joinRequests: room.joinRequests,
    createdBy: room.createdBy,
    createdAt: room.createdAt.toISOString(),
    archivedAt: room.archivedAt?.toISOString() ?? null,
  };
}

export function toSummary(room: RoomEntity): RoomSummary {
  return { ...toRoom(room), memberCount: room.memberCount, lastSeq: room.seq, headRev: room.rev };
}
