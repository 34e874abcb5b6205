/** Typed events. A listener that throws neither stops the others nor the client; its error surfaces as an uncaught one. */
export class Listeners<Events extends Record<keyof Events, (...args: never[]) => void>> {
  private readonly of = new Map<keyof Events, Set<Events[keyof Events]>>();

  /** Returns what takes the listener off again. */
  on<E extends keyof Events>(event: E, listener: Events[E]): () => void {
    const listeners = this.of.get(event) ?? new Set();
    this.of.set(event, listeners);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  emit<E extends keyof Events>(event: E, ...args: Parameters<Events[E]>): void {
    for (const listener of [...(this.of.get(event) ?? [])]) {
      try {
        listener(...(args as never[]));
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
