import type { HistoryPage, RequestInput } from '../../src/protocol/index.js';
import type { RoomModel } from './room-state.js';

export type HistoryRange = Omit<RequestInput<'history:get'>, 'roomId' | 'threadRoot'>;

/** Pages of history, put into the room's messages where they touch them. */
export class History {
  private readonly older = new Map<string, Promise<boolean>>();

  constructor(
    private readonly rooms: ReadonlyMap<string, RoomModel>,
    private readonly ask: (request: RequestInput<'history:get'>) => Promise<HistoryPage>,
  ) {}

  async load(roomId: string, range: HistoryRange): Promise<HistoryPage> {
    const timeline = this.rooms.get(roomId)?.timeline;
    timeline?.expect();
    try {
      const page = await this.ask({ roomId, ...range });
      timeline?.merge(page, range.before);
      return page;
    } finally {
      timeline?.settle();
    }
  }

  /** One page before the oldest message at hand; calls that overlap share it. */
  loadOlder(roomId: string, limit?: number): Promise<boolean> {
    const loading = this.older.get(roomId) ?? this.loadBefore(roomId, limit).finally(() => this.older.delete(roomId));
    this.older.set(roomId, loading);
    return loading;
  }

  private async loadBefore(roomId: string, limit?: number): Promise<boolean> {
    const room = this.rooms.get(roomId);
    const oldest = room?.messages[0];
    if (!room?.hasBefore || !oldest) return false;
    const page = await this.load(roomId, { before: oldest.seq, ...(limit === undefined ? {} : { limit }) });
    return page.messages.length > 0;
  }
}
