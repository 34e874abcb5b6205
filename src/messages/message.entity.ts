import { Column, Entity, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import type { Message, User } from '../protocol/index.js';
import { UserEntity } from '../users/user.entity.js';

@Entity('messages')
export class MessageEntity {
  @PrimaryColumn('uuid', { name: 'room_id' })
  roomId!: string;

  @PrimaryColumn('bigint')
  seq!: number;

  @Column('bigint')
  rev!: number;

  @Column({ type: 'uuid', name: 'sender_id' })
  senderId!: string;

  @ManyToOne(() => UserEntity)
  @JoinColumn({ name: 'sender_id' })
  sender?: UserEntity;

  @Column({ type: 'text', name: 'client_msg_id' })
  clientMsgId!: string;

  /** Of the content as it was sent: tells a retry from another message under the same clientMsgId. */
  @Column({ type: 'bytea', select: false })
  fingerprint!: Buffer;

  @Column('text')
  text!: string;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3 })
  createdAt!: Date;

  @Column({ type: 'timestamptz', name: 'deleted_at', precision: 3, nullable: true })
  deletedAt!: Date | null;
}

export function toMessage(message: Omit<MessageEntity, 'fingerprint' | 'sender'>, sender: User): Message {
  return {
    roomId: message.roomId,
    seq: message.seq,
    rev: message.rev,
    sender: { id: sender.id, name: sender.name },
    clientMsgId: message.clientMsgId,
    text: message.text,
    createdAt: message.createdAt.toISOString(),
    deletedAt: message.deletedAt?.toISOString() ?? null,
  };
}
