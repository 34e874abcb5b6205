import type { IncomingMessage } from 'node:http';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { ChatError } from '../chat-error.js';
import type { Config } from '../config.js';
import { CONFIG } from '../config.token.js';
import { networkOf } from '../limits/client-address.js';
import { Limits } from '../limits/limits.js';

/** Whether the proxy at this address, so many before us, is believed. */
export type Trust = (address: string, hop: number) => boolean;

/** When to look again whether there is room for one more connection, in ms. */
const ROOM_AFTER = 5_000;

interface Connection {
  readonly request: IncomingMessage;
  once(event: 'close', listener: () => void): void;
}

/** How many connections this instance lets a user have, and an address whose tokens were not checked yet. */
@Injectable()
export class Doorway {
  private readonly logger = new Logger(Doorway.name);
  private readonly unchecked = new Map<string, number>();
  private readonly byUser = new Map<string, number>();
  private readonly addresses = new WeakMap<object, string>();
  private readonly users = new WeakSet();
  private warned = false;
  private trust: Trust = () => false;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly limits: Limits,
  ) {}

  /** Called once, by the adapter, before the first connection. */
  believe(trust: Trust): void {
    this.trust = trust;
  }

  /** Whether its address may have one more connection; asked before the upgrade. */
  mayKnock(request: IncomingMessage): boolean {
    const address = this.addressOf(request);
    if ((this.unchecked.get(address) ?? 0) >= this.config.connections.uncheckedPerAddress) return false;
    return this.limits.tryTake('badTokens', address, 0) === 0;
  }

  /** From the connection's first packet. */
  watch(connection: Connection): void {
    const address = this.addressOf(connection.request);
    this.unchecked.set(address, (this.unchecked.get(address) ?? 0) + 1);
    this.addresses.set(connection, address);
    connection.once('close', () => this.noteChecked(connection));
  }

  /** Its token is good: the connection is its user's from now on. @returns its address; undefined when this was noted before */
  noteChecked(connection: object): string | undefined {
    const address = this.addresses.get(connection);
    if (address === undefined) return undefined;
    this.addresses.delete(connection);
    decrease(this.unchecked, address);
    return address;
  }

  /** Its token is not. Who brings many of these is not let in to the check any more. */
  noteRefused(connection: object): void {
    const address = this.addresses.get(connection);
    if (address !== undefined) this.limits.spend('badTokens', address);
  }

  /** @throws ChatError `too_many_connections`; those that the user has stay */
  enter(connection: Pick<Connection, 'once'>, userId: string): void {
    const open = this.byUser.get(userId) ?? 0;
    if (open >= this.config.connections.perUser)
      throw new ChatError('too_many_connections', 'You have too many connections', { retryAfterMs: ROOM_AFTER });
    if (this.users.has(connection)) return;
    this.users.add(connection);
    this.byUser.set(userId, open + 1);
    connection.once('close', () => decrease(this.byUser, userId));
  }

  private addressOf(request: IncomingMessage): string {
    const told = request.headers['x-forwarded-for'];
    if (told !== undefined && this.config.trustProxy === 0) this.warn();
    const chain = String(told ?? '')
      .split(',')
      .reverse();
    let address = request.socket.remoteAddress ?? '';
    for (let hop = 0; hop < chain.length && chain[hop] !== '' && this.trust(address, hop); hop++)
      address = chain[hop]?.trim() ?? address;
    return networkOf(address);
  }

  private warn(): void {
    if (this.warned) return;
    this.warned = true;
    this.logger.warn(
      'A connection came with X-Forwarded-For, and TRUST_PROXY is not set: if a balancer stands before Parley, all clients are counted as one address.',
    );
  }
}

function decrease(counts: Map<string, number>, key: string): void {
  const left = (counts.get(key) ?? 0) - 1;
  if (left > 0) counts.set(key, left);
  else counts.delete(key);
}
