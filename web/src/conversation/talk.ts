import { createContext, useContext } from 'react';
import type { Message } from '../../../sdk/index.js';

/** What the parts of one open room ask of each other. */
export interface Talk {
  readonly roomId: string;
  /** What is written next answers this message. */
  answer(message: Message): void;
  /** Opens the thread of the message beside the room. */
  openThread(root: number): void;
  /** The message is brought into view, where it is at hand. */
  jumpTo(seq: number): void;
}

export const TalkContext = createContext<Talk | undefined>(undefined);

export function useTalk(): Talk {
  const talk = useContext(TalkContext);
  if (!talk) throw new Error('Used outside of a conversation');
  return talk;
}
