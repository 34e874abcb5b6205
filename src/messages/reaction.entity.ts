import { Column, Entity, PrimaryColumn } from 'typeorm';

/** One of each emoji of a user on a message. Deleting the message deletes them. */
@Entity('reactions')
export class ReactionEntity {
  @PrimaryColumn('uuid', { name: 'room_id' })
  roomId!: string;

  @PrimaryColumn('bigint')
  seq!: number;

  @PrimaryColumn('text')
  emoji!: string;

  @PrimaryColumn('uuid', { name: 'user_id' })
  userId!: string;

  /** That of the room when it came: their order. */
  @Column('bigint')
  rev!: number;
}
