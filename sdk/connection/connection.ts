import type {
  ErrorBody,
  OpenReports,
  PresenceState,
  Refreshed,
  RoomChanges,
  RoomSignal,
  SessionReady,
  UserSignal,
} from '../../src/protocol/index.js';
import { Backoff } from '../backoff.js';
import type { ConnectionStatus } from '../events.js';
import type { Settings } from '../options.js';
import { ParleyError } from '../parley-error.js';
import { onNetworkReturn } from './network-return.js';
import { Link, type Answer, type Loss } from './link.js';

export interface ConnectionListener {
  status(status: ConnectionStatus): void;
  /** Catches up over a link that is ready. Afterwards the client is online, unless an error or 'gone' comes back. */
  catchUp(link: Link): Promise<'done' | 'gone' | ErrorBody>;
  changes(frame: RoomChanges): void;
  signal(signal: UserSignal): void;
  roomSignal(signal: RoomSignal): void;
  presence(states: PresenceState[]): void;
  reports(reports: OpenReports): void;
  /** There will be no connection any more: by the server's word, or by `close`. */
  ended(error: ParleyError, byServer: boolean): void;
}

/** Keeps one link up: connects, tells when it is caught up, and comes back when it broke, with jitter so that a crowd spreads. */
export class Connection {
  status: ConnectionStatus = 'connecting';
  session: SessionReady | undefined;
  private link: Link | undefined;
  private readonly backoff: Backoff;
  private readonly waiting = new Set<{ online: (link: Link) => void; ended: (error: ParleyError) => void }>();
  private readonly stopListening: () => void;
  /** 0 means all transports in turn, n the one at that place alone. */
  private transport = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private moving: ReturnType<typeof setTimeout> | undefined;
  private renewing: ReturnType<typeof setTimeout> | undefined;
  /** Before this time (of the process' clock) no try is made: the server asked for it. */
  private notBefore = 0;
  private onlineSince: number | undefined;
  private renewed = false;
  private end: ParleyError | undefined;

  constructor(
    private readonly settings: Settings,
    private readonly listener: ConnectionListener,
  ) {
    this.backoff = new Backoff(settings.backoff);
    this.stopListening = onNetworkReturn(() => this.networkIsBack());
  }

  start(): void {
    void this.connect();
  }

  /** The link as soon as the client is online; rejects when it will never be (again). */
  whenOnline(): Promise<Link> {
    if (this.end) return Promise.reject(this.end);
    if (this.status === 'online' && this.link) return Promise.resolve(this.link);
    return new Promise((online, ended) => this.waiting.add({ online, ended }));
  }

  /** The link to use now, while online. */
  get current(): Link | undefined {
    return this.status === 'online' ? this.link : undefined;
  }

  close(error: ParleyError, byServer = false): void {
    if (this.end) return;
    this.end = error;
    clearTimeout(this.timer);
    this.stay();
    this.stopListening();
    this.link?.close();
    this.link = undefined;
    this.enter('closed');
    for (const { ended } of this.waiting) ended(error);
    this.waiting.clear();
    this.listener.ended(error, byServer);
  }

  private async connect(): Promise<void> {
    this.enter('connecting');
    let token: string;
    try {
      token = await this.settings.token();
    } catch (error) {
      if (error instanceof ParleyError && !error.retryable) this.close(error, true);
      else this.comeBack(this.backoff.next(error instanceof ParleyError ? error.retryAfterMs : 0));
      return;
    }
    if (this.end) return;
    const { url, background, requestTimeoutMs, transports } = this.settings;
    const link: Link = new Link(
      {
        url,
        token,
        background,
        transports: this.transport > 0 ? transports.slice(this.transport, this.transport + 1) : transports,
        requestTimeoutMs,
      },
      {
        ready: (session) => void this.becomeOnline(link, session),
        changes: (frame) => this.listener.changes(frame),
        signal: (signal) => this.listener.signal(signal),
        roomSignal: (signal) => this.listener.roomSignal(signal),
        presence: (states) => this.listener.presence(states),
        reports: (reports) => this.listener.reports(reports),
        lost: (loss) => this.lose(link, loss),
        // In the first half of what is left: clients whose tokens end together do not all ask for new ones at once.
        expiring: ({ inMs }) => this.renewIn(link, (this.settings.backoff.random() * inMs) / 2),
        sentAway: ({ afterMs, spreadMs }) => this.moveLater(link, afterMs + this.settings.backoff.random() * spreadMs),
      },
    );
    this.link = link;
  }

  private async becomeOnline(link: Link, session: SessionReady): Promise<void> {
    if (this.session && this.session.userId !== session.userId) {
      this.close(
        new ParleyError({ code: 'unauthenticated', message: 'The token is another user’s', retryable: false }),
        true,
      );
      return;
    }
    this.session = session;
    this.renewed = false;
    const outcome = await this.listener.catchUp(link);
    if (link !== this.link || outcome === 'gone') return;
    if (outcome !== 'done') {
      this.leave(link);
      this.comeBack(this.backoff.next(outcome.retryAfterMs));
      return;
    }
    this.onlineSince = performance.now();
    this.enter('online');
    for (const { online } of this.waiting) online(link);
    this.waiting.clear();
  }

  private lose(link: Link, loss: Loss): void {
    if (link !== this.link) return;
    this.stay();
    this.link = undefined;
    this.calmDown();
    if (loss.kind === 'refused') {
      this.obey(loss.error);
    } else {
      // One that fails at once hands over to the next by itself; one that says nothing (swallowed by a proxy) does not.
      if (loss.kind === 'unready') this.transport = (this.transport + 1) % this.settings.transports.length;
      this.comeBack(this.backoff.next());
    }
  }

  /** Works on until its turn to move has come, so that it is away only for the moment that a new connection takes. */
  private moveLater(link: Link, ms: number): void {
    clearTimeout(this.moving);
    this.moving = setTimeout(() => {
      if (link !== this.link) return;
      this.calmDown();
      this.leave(link);
      this.comeBack(0);
    }, ms);
  }

  /** What was planned for the present connection is for no other one. */
  private stay(): void {
    clearTimeout(this.moving);
    clearTimeout(this.renewing);
  }

  private renewIn(link: Link, ms: number, backoff = new Backoff(this.settings.backoff)): void {
    if (!this.settings.tokenRenews) return;
    clearTimeout(this.renewing);
    this.renewing = setTimeout(() => void this.renew(link, backoff), ms);
  }

  /** Tried until it is done or refused, or the connection ends with its token; the next one then begins with a new one. */
  private async renew(link: Link, backoff: Backoff): Promise<void> {
    const answer = await this.offerToken(link);
    if (link !== this.link || answer === 'gone') return;
    if (answer !== 'timeout' && answer.ok) {
      if (this.session) this.session = { ...this.session, ...answer.data };
    } else if (answer === 'timeout' || answer.error.retryable) {
      this.renewIn(link, backoff.next(answer === 'timeout' ? 0 : answer.error.retryAfterMs), backoff);
    }
  }

  private async offerToken(link: Link): Promise<Answer<Refreshed>> {
    try {
      return await link.ask('auth:refresh', { token: await this.settings.token() });
    } catch (error) {
      return error instanceof ParleyError ? { ok: false, error } : 'timeout';
    }
  }

  private obey(error: ErrorBody): void {
    if (error.retryable) {
      this.notBefore = performance.now() + (error.retryAfterMs ?? 0);
      this.comeBack(this.backoff.next(error.retryAfterMs));
    } else if (error.code === 'token_expired' && this.settings.tokenRenews && !this.renewed) {
      this.renewed = true;
      void this.connect();
    } else {
      this.close(new ParleyError(error), true);
    }
  }

  /** A connection that lasted as long as the next wait could be was a good one: the back-off starts anew. */
  private calmDown(): void {
    if (this.onlineSince !== undefined && performance.now() - this.onlineSince >= this.backoff.reach) {
      this.backoff.reset();
    }
    this.onlineSince = undefined;
  }

  private leave(link: Link): void {
    this.stay();
    this.link = undefined;
    link.close();
  }

  private comeBack(ms: number): void {
    if (this.end) return;
    this.enter('offline');
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.timer = undefined;
      void this.connect();
    }, ms);
  }

  private networkIsBack(): void {
    this.transport = 0;
    if (this.timer === undefined) return;
    this.backoff.reset();
    this.comeBack(this.backoff.next(Math.max(0, this.notBefore - performance.now())));
  }

  private enter(status: ConnectionStatus): void {
    if (this.status === status) return;
    this.status = status;
    this.listener.status(status);
  }
}
