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

  @Column({ type: 'timestamptz', name: 'joined_at', precision: 3 })
  joinedAt!: Date;

  /** Set when the member left; the row stays, for clients that were away to learn of it. */
  @Column({ type: 'timestamptz', name: 'left_at', precision: 3, nullable: true })
  leftAt!: Date | null;
}

export function toMember(member: MemberEntity, user: User): Member {
  return {
    roomId: member.roomId,
    rev: member.rev,
    user: { id: user.id, name: user.name },
    role: member.role,
    joinedAt: member.joinedAt.toISOString(),
    leftAt: member.leftAt?.toISOString() ?? null,
  };
}
