import { Entity, PrimaryColumn } from 'typeorm';

/** Which messages of a room are pinned; when and by whom stands beside each message. */
@Entity('pins')
export class PinEntity {
  @PrimaryColumn('uuid', { name: 'room_id' })
  roomId!: string;

  @PrimaryColumn('bigint')
  seq!: number;
}
