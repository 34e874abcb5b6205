import { Status } from '../protocol/index.js';

/** What an instance tells the others of its users. */
export interface PresenceNews {
  instance: string;
  states: [userId: string, status: Status | 'offline'][];
}

export function isNews(value: unknown): value is PresenceNews {
  const { instance, states } = (value ?? {}) as Partial<Record<keyof PresenceNews, unknown>>;
  return typeof instance === 'string' && Array.isArray(states) && states.every(isState);
}

function isState(value: unknown): boolean {
  if (!Array.isArray(value) || typeof value[0] !== 'string') return false;
  return value[1] === 'offline' || Status.options.includes(value[1] as Status);
}
