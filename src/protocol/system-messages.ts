import type { z } from 'zod';
import { SendMessage } from './requests/index.js';

/** What the app itself says in a room. */
export const SystemMessage = SendMessage.pick({ clientMsgId: true, text: true, meta: true });
export type SystemMessage = z.output<typeof SystemMessage>;
