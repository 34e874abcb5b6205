import { Column, Entity, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import type { Member, Role, User } from '../protocol/index.js';
import { UserEntity } from '../users/user.entity.js';

@Entity('memberships')
export class MemberEntity {
  @PrimaryColumn('uuid', { name: 'room_id' })
  roomId!: string;

  @PrimaryColumn('uuid', { name: 'user_id' })
  userId!: string;

  @ManyToOne(() => UserEntity)
  @JoinColumn({ name: 'user_id' })
  user?: UserEntity;

  @Column('text')
  role!: Role;

  @Column('bigint')
  rev!: number;

  @Column({ type: 'timestamptz', name: 'muted_until', precision: 3, nullable: true })
  mutedUntil!: Date | null;

  /** A seq: messages up to it are not for this member. */
  @Column('bigint', { name: 'visible_after' })
  visibleAfter!: number;

  @Column({ type: 'timestamptz', name: 'joined_at', precision: 3 })
  joinedAt!: Date;

  /** What he sends until then only he sees. Told to those who govern the room alone, so it is no part of `Member`. */
  @Column({ type: 'timestamptz', name: 'shadow_until', precision: 3, nullable: true })
  shadowUntil!: Date | null;

  /** Set when the member left; the row stays, for clients that were away to learn of it. */
  @Column({ type: 'timestamptz', name: 'left_at', precision: 3, nullable: true })
  leftAt!: Date | null;
}

/** The columns of `MemberEntity`, for statements that are written by hand. */
export const memberColumns = (table: string): string =>
  `${table}.room_id as "roomId", ${table}.user_id as "userId", ${table}.role, ${table}.rev, ${table}.muted_until as "mutedUntil",
   ${table}.visible_after as "visibleAfter", ${table}.shadow_until as "shadowUntil", ${table}.joined_at as "joinedAt", ${table}.left_at as "leftAt"`;

export function toMember(member: MemberEntity, user: User): Member {
  return {
    roomId: member.roomId,
    rev: member.rev,
    user: { id: user.id, name: user.name },
    role: member.role,
    mutedUntil: member.mutedUntil?.toISOString() ?? null,
    visibleAfter: member.visibleAfter,
    joinedAt: member.joinedAt.toISOString(),
    leftAt: member.leftAt?.toISOString() ?? null,
  };
}
