import { Column, Entity, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import type { Mentions, Message, Meta, Reaction, User } from '../protocol/index.js';
import { SYSTEM } from '../users/system-user.js';
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

  /** Null as long as the message says what it said first, which is version 1. */
  @Column({ type: 'int', nullable: true })
  version!: number | null;

  @Column({ type: 'timestamptz', name: 'edited_at', precision: 3, nullable: true })
  editedAt!: Date | null;

  /** Null also where an admin deleted it, who is no user. */
  @Column({ type: 'uuid', name: 'deleted_by', nullable: true })
  deletedBy!: string | null;

  /** Counted on the table of reactions whenever they change. */
  @Column({ type: 'jsonb', nullable: true })
  reactions!: Reaction[] | null;

  @Column({ type: 'timestamptz', name: 'pinned_at', precision: 3, nullable: true })
  pinnedAt!: Date | null;

  @Column({ type: 'uuid', name: 'pinned_by', nullable: true })
  pinnedBy!: string | null;

  @Column({ type: 'bigint', name: 'reply_to', nullable: true })
  replyTo!: number | null;

  @Column({ type: 'bigint', name: 'thread_root', nullable: true })
  threadRoot!: number | null;

  /** As the sender named them; `MentionEntity` has whom they reach. */
  @Column({ type: 'jsonb', nullable: true })
  mentions!: Mentions | null;

  @Column({ type: 'jsonb', nullable: true })
  meta!: Meta | null;

  /** Of the root of a thread. */
  @Column({ type: 'int', name: 'reply_count', nullable: true })
  replyCount!: number | null;

  @Column({ type: 'timestamptz', name: 'last_reply_at', precision: 3, nullable: true })
  lastReplyAt!: Date | null;

  /** Set where only the sender sees it: `seenBy` says what others do. */
  @Column({ type: 'timestamptz', name: 'shadowed_at', precision: 3, nullable: true })
  shadowedAt!: Date | null;
}

export type StoredMessage = Omit<MessageEntity, 'fingerprint' | 'sender'>;

const columns = {
  roomId: 'room_id',
  seq: 'seq',
  rev: 'rev',
  senderId: 'sender_id',
  clientMsgId: 'client_msg_id',
  text: 'text',
  createdAt: 'created_at',
  deletedAt: 'deleted_at',
  version: 'version',
  editedAt: 'edited_at',
  deletedBy: 'deleted_by',
  reactions: 'reactions',
  pinnedAt: 'pinned_at',
  pinnedBy: 'pinned_by',
  replyTo: 'reply_to',
  threadRoot: 'thread_root',
  mentions: 'mentions',
  meta: 'meta',
  replyCount: 'reply_count',
  lastReplyAt: 'last_reply_at',
  shadowedAt: 'shadowed_at',
} as const satisfies Record<keyof StoredMessage, string>;

/** What raw queries select of the table `message`, under the names of the entity. */
export const MESSAGE_COLUMNS = Object.entries(columns)
  .map(([property, column]) => `message.${column} as "${property}"`)
  .join(', ');

/** What most messages do not have is absent: each byte of a message goes to every member. What a member is told of it, `seenBy` says. */
export function toMessage(row: StoredMessage, sender: User): Message {
  const message: Message = {
    roomId: row.roomId,
    seq: row.seq,
    rev: row.rev,
    sender: { id: sender.id, name: sender.name },
    clientMsgId: row.clientMsgId,
    text: row.text,
    createdAt: row.createdAt.toISOString(),
    deletedAt: row.deletedAt?.toISOString() ?? null,
  };
  if (sender.id === SYSTEM.id) message.system = true;
  if (row.version !== null) message.version = row.version;
  if (row.editedAt !== null) message.editedAt = row.editedAt.toISOString();
  if (row.deletedBy !== null) message.deletedBy = row.deletedBy;
  if (row.reactions !== null) message.reactions = row.reactions;
  if (row.pinnedAt !== null && row.pinnedBy !== null)
    message.pinned = { at: row.pinnedAt.toISOString(), by: row.pinnedBy };
  if (row.replyTo !== null) message.replyTo = row.replyTo;
  if (row.threadRoot !== null) message.threadRoot = row.threadRoot;
  if (row.replyCount !== null && row.lastReplyAt !== null)
    message.thread = { replies: row.replyCount, lastReplyAt: row.lastReplyAt.toISOString() };
  if (row.mentions !== null) message.mentions = row.mentions;
  if (row.meta !== null) message.meta = row.meta;
  if (row.shadowedAt !== null) message.shadowedAt = row.shadowedAt.toISOString();
  return message;
}

export function withSender(row: MessageEntity): Message {
  return toMessage(row, row.sender ?? { id: row.senderId, name: '' });
}
