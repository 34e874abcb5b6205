import { useState } from 'react';
import type { Status } from '../../../sdk/index.js';
import { useChat } from '../use-chat.js';

const choices: [status: Status, word: string][] = [
  ['online', 'Online'],
  ['away', 'Away'],
  ['dnd', 'Do not disturb'],
  ['invisible', 'Invisible'],
];

/** What others see of me, as far as this window goes. */
export function PresenceChoice() {
  const { parley } = useChat();
  const [status, setStatus] = useState<Status>('online');
  return (
    <select
      className="presence-choice"
      aria-label="What others see of you"
      value={status}
      onChange={(event) => {
        const wanted = event.target.value as Status;
        setStatus(wanted);
        parley.setPresence(wanted);
      }}
    >
      {choices.map(([choice, word]) => (
        <option key={choice} value={choice}>
          {word}
        </option>
      ))}
    </select>
  );
}
