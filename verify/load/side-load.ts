import type { Random } from '../random.js';
import { Churn } from './churn.js';
import { Editors } from './editors.js';
import type { Load } from './load.js';
import type { PlainClient } from './plain-client.js';

/** What goes on in the rooms of a load beside the sending, as much of it as its shape says. */
export class SideLoad {
  private readonly editors: Editors;
  private readonly churn: Churn;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly load: Load,
    random: Random,
  ) {
    this.editors = new Editors(load, random.fork('editors'));
    this.churn = new Churn(load, random.fork('visitors'), 'v');
  }

  /** A message was acknowledged. */
  offer(client: PlainClient, roomId: string, seq: number): void {
    this.editors.offer(client, roomId, seq);
  }

  async prepare(): Promise<void> {
    await this.churn.connect(this.load.shape.beside?.visitors ?? 0);
  }

  start(): void {
    const { beside } = this.load.shape;
    if (beside === undefined) return;
    this.editors.start(beside.editsPerSecond);
    this.timer = setInterval(() => this.churn.step(), 1_000 / beside.movesPerSecond);
  }

  stop(): void {
    this.editors.stop();
    clearInterval(this.timer);
  }

  /** Requests that are not answered yet. */
  get waiting(): number {
    return this.editors.waiting + this.churn.waiting;
  }

  leaveAll(): Promise<void> {
    return this.churn.leaveAll();
  }

  close(): void {
    this.stop();
    this.churn.close();
  }
}
