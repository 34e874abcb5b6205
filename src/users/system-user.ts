import type { User } from '../protocol/index.js';

/** Whose the messages of the app itself are. A migration makes him; no token is his, and he is in no room. */
export const SYSTEM: User = { id: '00000000-0000-7000-8000-000000000000', name: 'System' };
