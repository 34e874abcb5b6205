import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { uuidv7 } from 'uuidv7';
import { ChatError } from '../chat-error.js';
import { Id, type User } from '../protocol/index.js';
import { UserEntity } from './user.entity.js';

/** How many users an instance remembers, so that a reconnect needs no query to know who it is. */
const REMEMBERED_USERS = 50_000;

@Injectable()
export class UsersService {
  private readonly known = new Map<string, User>();

  constructor(@InjectRepository(UserEntity) private readonly users: Repository<UserEntity>) {}

  async createGuest(name: string): Promise<User> {
    const user: User = { id: uuidv7(), name };
    await this.users.insert({ ...user, kind: 'guest', subject: null });
    return user;
  }

  /** The app's user of this subject; made at first sight, renamed when the app calls it otherwise now. */
  async fromApp(subject: string, name: string): Promise<User> {
    const key = `app ${subject}`;
    const known = this.known.get(key);
    if (known?.name === name) return known;
    const rows: unknown = await this.users.query(
      `insert into users (id, kind, subject, name) values ($1, 'app', $2, $3)
       on conflict (kind, subject) do update set name = excluded.name returning id, name`,
      [uuidv7(), subject, name],
    );
    const user = (rows as User[])[0];
    if (user === undefined) throw new ChatError('unavailable', 'The user could not be stored');
    this.remember(key, user);
    return user;
  }

  /** @throws ChatError `unauthenticated` when there is no such guest: his token is of another database */
  async guest(id: string): Promise<User> {
    const key = `guest ${id}`;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const found = Id.safeParse(id).success ? await this.users.findOneBy({ id, kind: 'guest' }) : null;
    if (found === null) throw new ChatError('unauthenticated', 'There is no such guest; enter anew');
    const user: User = { id: found.id, name: found.name };
    this.remember(key, user);
    return user;
  }

  /** @throws ChatError `not_found` */
  async get(id: string): Promise<User> {
    const user = await this.users.findOneBy({ id });
    if (user === null) throw new ChatError('not_found', 'There is no such user');
    return { id: user.id, name: user.name };
  }

  private remember(key: string, user: User): void {
    this.known.delete(key);
    this.known.set(key, user);
    if (this.known.size > REMEMBERED_USERS) {
      const oldest = this.known.keys().next().value;
      if (oldest !== undefined) this.known.delete(oldest);
    }
  }
}
