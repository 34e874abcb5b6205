import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What a message said before it was edited. Deleting the message deletes them. */
@Entity('message_versions')
export class MessageVersionEntity {
  @PrimaryColumn('uuid', { name: 'room_id' })
  roomId!: string;

  @PrimaryColumn('bigint')
  seq!: number;

  @PrimaryColumn('int')
  version!: number;

  @Column('text')
  text!: string;

  @Column({ type: 'timestamptz', name: 'said_at', precision: 3 })
  saidAt!: Date;
}
