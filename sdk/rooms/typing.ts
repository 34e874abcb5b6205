import type { User } from '../../src/protocol/index.js';

/** The server says again every five seconds who is typing; who is not named for longer is not, whatever was lost. */
const lastsMs = 11_000;
/** The server forgets after eight seconds who does not say so again. */
const sayAgainMs = 3_000;

/** Who is typing in the rooms that I am in, and what I said of myself. */
export class Typing {
  private readonly users = new Map<string, { users: readonly User[]; timer: ReturnType<typeof setTimeout> }>();
  private readonly said = new Map<string, number>();

  constructor(private readonly changed: (roomId: string) => void) {}

  in(roomId: string): readonly User[] {
    return this.users.get(roomId)?.users ?? [];
  }

  tell(roomId: string, users: readonly User[]): void {
    clearTimeout(this.users.get(roomId)?.timer);
    this.users.delete(roomId);
    if (users.length > 0) {
      const timer = setTimeout(() => this.tell(roomId, []), lastsMs);
      this.users.set(roomId, { users, timer });
    }
    this.changed(roomId);
  }

  /** Whether the server is to be told (again). */
  say(roomId: string, on: boolean, now = performance.now()): boolean {
    const said = this.said.get(roomId);
    if (!on) return this.said.delete(roomId);
    if (said !== undefined && now - said < sayAgainMs) return false;
    this.said.set(roomId, now);
    return true;
  }

  /** The connection is gone: nobody is known to type. */
  forget(): void {
    this.said.clear();
    for (const roomId of [...this.users.keys()]) this.tell(roomId, []);
  }
}
