/** The server's clock as told at the last connection, carried on by the process' own; behind by the way of that message. */
export class ServerClock {
  private told = Date.now();
  private toldAt = performance.now();

  set(serverTime: string): void {
    this.told = Date.parse(serverTime);
    this.toldAt = performance.now();
  }

  /** Milliseconds since 1970. */
  now(): number {
    return this.told + performance.now() - this.toldAt;
  }
}
