import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';

@Entity('users')
export class UserEntity {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('text')
  kind!: 'app' | 'guest' | 'bot' | 'account';

  /** The app's own id of the user; null for all others. */
  @Column({ type: 'text', nullable: true })
  subject!: string | null;

  @Column('text')
  name!: string;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz', precision: 3 })
  createdAt!: Date;
}
