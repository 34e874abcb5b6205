import type { User } from '../protocol/index.js';

/** What one member did, as instances tell each other. */
export type SignalNote =
  | { roomId: string; kind: 'read'; userId: string; readSeq: number }
  | { roomId: string; kind: 'typing'; user: User; on: boolean };

/** Whether what came over the bus is one. */
export function isNote(value: unknown): value is SignalNote {
  const note = (value ?? {}) as Partial<Record<string, unknown>>;
  if (typeof note['roomId'] !== 'string') return false;
  if (note['kind'] === 'read') return typeof note['userId'] === 'string' && Number.isSafeInteger(note['readSeq']);
  const user = (note['user'] ?? {}) as Partial<Record<string, unknown>>;
  return (
    note['kind'] === 'typing' &&
    typeof note['on'] === 'boolean' &&
    typeof user['id'] === 'string' &&
    typeof user['name'] === 'string'
  );
}
