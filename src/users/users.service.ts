import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { uuidv7 } from 'uuidv7';
import { ChatError } from '../chat-error.js';
import { BatchedRead } from '../database/batched-read.js';
import { Id, type User } from '../protocol/index.js';
import { accessColumns, type Access } from './access.js';
import { SYSTEM } from './system-user.js';
import { UserEntity } from './user.entity.js';

/** How many users an instance remembers, so that a reconnect needs no query to know who it is. */
const REMEMBERED_USERS = 50_000;

@Injectable()
export class UsersService {
  private readonly known = new Map<string, KnownUser>();
  /** What was read before somebody was forgotten may be older than the reason for that. */
  private forgotten = 0;
  private readonly fromApps = new BatchedRead((named: readonly Named[]) => this.storeAll(named));

  constructor(@InjectRepository(UserEntity) private readonly users: Repository<UserEntity>) {}

  async createGuest(name: string): Promise<User> {
    const user: User = { id: uuidv7(), name };
    await this.users.insert({ ...user, kind: 'guest', subject: null });
    return user;
  }

  /** The app's user of this subject; made at first sight, renamed when the app calls it otherwise now. */
  async fromApp(subject: string, name: string): Promise<KnownUser> {
    const key = `app ${subject}`;
    const known = this.known.get(key);
    if (known?.name === name) return known;
    const { forgotten } = this;
    const user = await this.fromApps.get({ subject, name });
    if (user === undefined) throw new ChatError('unavailable', 'The user could not be stored');
    this.remember(key, user, forgotten);
    return user;
  }

  /** @throws ChatError `unauthenticated` when there is no such guest: his token is of another database */
  async guest(id: string): Promise<KnownUser> {
    const key = `guest ${id}`;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const { forgotten } = this;
    const rows: unknown = Id.safeParse(id).success
      ? await this.users.query(`select users.id, ${KNOWN} where users.id = $1 and kind = 'guest'`, [id])
      : [];
    const [found] = rows as Found[];
    if (found === undefined) throw new ChatError('unauthenticated', 'There is no such guest; enter anew');
    const user = asKnown(found);
    this.remember(key, user, forgotten);
    return user;
  }

  /** What is remembered of the user no longer holds. @param subject of a guest its id */
  forget(kind: string, subject: string): void {
    this.forgotten += 1;
    this.known.delete(`${kind} ${subject}`);
  }

  /** @throws ChatError `not_found` */
  async get(id: string): Promise<User> {
    const user = id === SYSTEM.id ? null : await this.users.findOneBy({ id });
    if (user === null) throw new ChatError('not_found', 'There is no such user');
    return { id: user.id, name: user.name };
  }

  /** Reads those that are as they are called, as most are, and writes the others. */
  private async storeAll(named: readonly Named[]): Promise<(KnownUser | undefined)[]> {
    const names = new Map(named.map(({ subject, name }) => [asStored(subject), asStored(name)]));
    const found: unknown = await this.users.query(
      `select users.id, ${KNOWN} where kind = 'app' and subject = any($1)`,
      [[...names.keys()]],
    );
    const bySubject = new Map((found as Found[]).map((user) => [user.subject, user]));
    // In one order everywhere, so that two instances that meet the same users do not wait for each other.
    const missing = [...names].filter(([subject, name]) => bySubject.get(subject)?.name !== name).sort(bySubjectFirst);
    if (missing.length > 0) {
      const stored: unknown = await this.users.query(
        `insert into users (id, kind, subject, name)
         select id, 'app', subject, name from unnest($1::uuid[], $2::text[], $3::text[]) as app(id, subject, name)
         on conflict (kind, subject) do update set name = excluded.name returning id, subject, name`,
        [missing.map(() => uuidv7()), missing.map(([subject]) => subject), missing.map(([, name]) => name)],
      );
      for (const user of stored as Omit<Found, keyof Access>[])
        bySubject.set(user.subject, { ...OPEN, ...bySubject.get(user.subject), ...user });
    }
    return named.map(({ subject }) => {
      const user = bySubject.get(asStored(subject));
      return user && asKnown(user);
    });
  }

  private remember(key: string, user: KnownUser, forgotten: number): void {
    if (forgotten !== this.forgotten) return;
    this.known.delete(key);
    this.known.set(key, user);
    if (this.known.size > REMEMBERED_USERS) {
      const oldest = this.known.keys().next().value;
      if (oldest !== undefined) this.known.delete(oldest);
    }
  }
}

/** What an app's token says. */
interface Named {
  subject: string;
  name: string;
}

interface Found extends User, Access {
  subject: string;
}

export interface KnownUser extends User {
  readonly access: Access;
}

const OPEN: Access = { validFrom: 0, bannedUntil: 0 };
const KNOWN = `subject, name, ${accessColumns} from users left join user_access access on access.user_id = users.id`;

const asKnown = ({ id, name, validFrom, bannedUntil }: Found): KnownUser => ({
  id,
  name,
  access: { validFrom, bannedUntil },
});

/** Half of a surrogate pair is no text: Postgres gets, and gives back, the replacement character. */
const asStored = (text: string): string => text.toWellFormed();

const bySubjectFirst = ([a]: [string, string], [b]: [string, string]): number => (a < b ? -1 : a > b ? 1 : 0);
