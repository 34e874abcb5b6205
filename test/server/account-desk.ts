import { jest } from '@jest/globals';
import type { z } from 'zod';
import { AccountSession, LoggedIn } from '../../src/protocol/index.js';
import type { Problem } from '../../src/rest/answers.js';
import { exactly, problemOf, Rest, type Method, type RawAnswer } from './rest.js';

/** Where accounts are kept, as a client sees it: REST from an address of its own. Keeps everything that is a secret. */
export class AccountDesk {
  private static addresses = 0;
  /** Passwords and refresh tokens that were sent or given. */
  readonly secrets = new Set<string>();
  /** Each refusal, as it was answered. */
  readonly refusals: string[] = [];

  /** @param url of an instance that trusts one proxy */
  constructor(readonly url: string) {}

  async register(handle: string, password: string, more: object = {}): Promise<LoggedIn> {
    return this.ok('POST', '/v1/accounts', LoggedIn, { handle, password, name: handle, ...more });
  }

  async logIn(handle: string, password: string, more: object = {}): Promise<LoggedIn> {
    return this.ok('POST', '/v1/sessions', LoggedIn, { handle, password, ...more });
  }

  async refresh(refreshToken: string): Promise<AccountSession> {
    return this.ok('POST', '/v1/sessions/refresh', AccountSession, { refreshToken });
  }

  async ok<S extends z.ZodType>(method: Method, path: string, schema: S, body?: object): Promise<z.output<S>> {
    const answer = await this.send(method, path, body);
    if (answer.status >= 300) throw new Error(`${method} ${path} was answered ${answer.status}: ${answer.text}`);
    const given = exactly<S>(schema, JSON.parse(answer.text));
    this.note(given as object);
    return given;
  }

  async refused(method: Method, path: string, body?: object, address?: string): Promise<Problem> {
    return problemOf(await this.send(method, path, body, address));
  }

  /** From another address each time where none is given. */
  async send(method: Method, path: string, body: object = {}, address = AccountDesk.nextAddress()): Promise<RawAnswer> {
    this.note(body);
    const headers = { 'content-type': 'application/json', 'x-forwarded-for': address };
    const answer = await new Rest(this.url).sendRaw(method, path, headers, JSON.stringify(body));
    if (answer.status >= 300) this.refusals.push(answer.text);
    return answer;
  }

  static nextAddress(): string {
    this.addresses += 1;
    return `10.${this.addresses >> 16}.${(this.addresses >> 8) & 255}.${this.addresses & 255}`;
  }

  private note(fields: object): void {
    for (const [name, value] of Object.entries(fields))
      if (typeof value === 'string' && /password|token/i.test(name) && value.length >= 8) this.secrets.add(value);
  }
}

/** What the process prints, in place of printing it. */
export function collectOutput(): { text: () => string; stop: () => void } {
  const printed: string[] = [];
  const collect = (chunk: string | Uint8Array): boolean => {
    printed.push(chunk.toString());
    return true;
  };
  const spies = [process.stdout, process.stderr].map((stream) =>
    jest.spyOn(stream, 'write').mockImplementation(collect),
  );
  return { text: () => printed.join(''), stop: () => spies.forEach((spy) => spy.mockRestore()) };
}
