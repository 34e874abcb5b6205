import { isSample } from './distinct-count.js';

/** What an instance answers: which users of its own are online in each of these rooms, as `sampleOf` says it. */
export interface CountNews {
  instance: string;
  rooms: [roomId: string, sample: number[]][];
}

/** Whether what came over the bus is that. */
export function isCountNews(value: unknown): value is CountNews {
  const { instance, rooms } = (value ?? {}) as Partial<Record<keyof CountNews, unknown>>;
  return typeof instance === 'string' && Array.isArray(rooms) && rooms.every(isRoom);
}

function isRoom(value: unknown): boolean {
  return Array.isArray(value) && typeof value[0] === 'string' && isSample(value[1]);
}
