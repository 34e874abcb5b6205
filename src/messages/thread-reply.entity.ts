import { Entity, PrimaryColumn } from 'typeorm';

/** Which messages are in a thread. Those that were deleted stay, as tombstones. */
@Entity('thread_replies')
export class ThreadReplyEntity {
  @PrimaryColumn('uuid', { name: 'room_id' })
  roomId!: string;

  /** The seq of the message that the thread is about. */
  @PrimaryColumn('bigint')
  root!: number;

  @PrimaryColumn('bigint')
  seq!: number;
}
