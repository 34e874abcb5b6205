/** The waits of one client, which all end with it: none keeps a closed client, or a Node process, alive. */
export class Pauses {
  private readonly sleeping = new Map<ReturnType<typeof setTimeout>, () => void>();
  private over = false;

  /** Resolves after `ms` milliseconds, or at once when the client is closed. */
  pause(ms: number): Promise<void> {
    if (this.over) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.sleeping.delete(timer);
        resolve();
      }, ms);
      this.sleeping.set(timer, resolve);
    });
  }

  end(): void {
    this.over = true;
    for (const [timer, wake] of this.sleeping) {
      clearTimeout(timer);
      wake();
    }
    this.sleeping.clear();
  }
}
