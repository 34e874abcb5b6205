import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Room, RoomSummary, Visibility } from '../protocol/index.js';

@Entity('rooms')
export class RoomEntity {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('text')
  name!: string;

  @Column('text')
  topic!: string;

  @Column('text')
  visibility!: Visibility;

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
    visibility: room.visibility,
    createdBy: room.createdBy,
    createdAt: room.createdAt.toISOString(),
    archivedAt: room.archivedAt?.toISOString() ?? null,
  };
}

export function toSummary(room: RoomEntity): RoomSummary {
  return { ...toRoom(room), memberCount: room.memberCount, lastSeq: room.seq, headRev: room.rev };
}
