import { Entity, PrimaryColumn } from 'typeorm';

/** Stands for everyone in the room. */
export const EVERYONE = '00000000-0000-0000-0000-000000000000';

/**
 * Who is mentioned where. Written by `send_messages`, for those who were members then and are not the sender; a message stands here
 * under `EVERYONE` or under each one named, never both. So the mentions that somebody has not read are
 * `count(*) where room_id = … and user_id in (he, EVERYONE) and seq > …`, a range of the key. Deleting the message deletes them.
 */
@Entity('mentions')
export class MentionEntity {
  @PrimaryColumn('uuid', { name: 'room_id' })
  roomId!: string;

  @PrimaryColumn('uuid', { name: 'user_id' })
  userId!: string;

  @PrimaryColumn('bigint')
  seq!: number;
}
