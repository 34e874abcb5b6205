import { useState } from 'react';
import { enterAsGuest, ParleyError } from '../../sdk/index.js';
import { limits } from '../../src/protocol/limits.js';
import { EntranceForm } from './entrance-form.js';
import { enterGuest, lastName, type Entered } from './session.js';
import { inWords } from './words.js';

function refusal(failure: unknown): string {
  const guestsOff = failure instanceof ParleyError && (failure.code === 'not_found' || failure.code === 'forbidden');
  return guestsOff
    ? 'This server takes no guests: people come in through the app that it belongs to.'
    : inWords(failure);
}

export function GuestForm({ onEnter }: { onEnter: (entered: Entered) => void }) {
  const [name, setName] = useState(lastName);
  return (
    <EntranceForm
      action="Come in"
      ready={name.trim() !== ''}
      enter={async () => onEnter(enterGuest(await enterAsGuest(location.origin, name.trim())))}
      refusal={refusal}
      small="No password: you are remembered in this browser only."
    >
      {(error) => (
        <>
          <label htmlFor="name">Your name</label>
          <input
            {...error}
            id="name"
            className="field"
            value={name}
            onChange={(event) => setName(event.target.value)}
            maxLength={limits.userNameLength}
            autoComplete="nickname"
            autoCapitalize="words"
            enterKeyHint="go"
            spellCheck={false}
            autoFocus
            required
          />
        </>
      )}
    </EntranceForm>
  );
}
