import { useState, type SyntheticEvent } from 'react';
import { enterAsGuest, ParleyError, type GuestSession } from '../../sdk/index.js';
import { limits } from '../../src/protocol/limits.js';
import { Logo } from './icons.js';
import { inWords } from './words.js';

interface WelcomeProps {
  /** Offered in the field. */
  name: string;
  /** Why the person is here again. */
  notice: string | undefined;
  onEnter: (session: GuestSession) => void;
}

function refusal(failure: unknown): string {
  const guestsOff = failure instanceof ParleyError && (failure.code === 'not_found' || failure.code === 'forbidden');
  return guestsOff
    ? 'This server takes no guests: people come in through the app that it belongs to.'
    : inWords(failure);
}

export function Welcome({ name: offered, notice, onEnter }: WelcomeProps) {
  const [name, setName] = useState(offered);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string>();

  const enter = async () => {
    setBusy(true);
    setError(undefined);
    try {
      onEnter(await enterAsGuest(location.origin, name.trim()));
    } catch (failure) {
      setError(refusal(failure));
      setBusy(false);
    }
  };
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (name.trim() !== '' && !busy) void enter();
  };

  return (
    <main className="welcome">
      <form className="welcome-card" onSubmit={submit}>
        <Logo />
        <h1>Parley</h1>
        <p className="welcome-lead">Rooms to talk in. Pick a name that the others will see.</p>
        {notice && (
          <p className="welcome-notice" role="status">
            {notice}
          </p>
        )}
        <label htmlFor="name">Your name</label>
        <input
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
          aria-invalid={error !== undefined}
          aria-describedby={error ? 'name-error' : undefined}
        />
        {error && (
          <p className="field-error" id="name-error" role="alert">
            {error}
          </p>
        )}
        <button className="button primary" type="submit" disabled={name.trim() === '' || busy}>
          {busy ? 'One moment…' : 'Come in'}
        </button>
        <p className="welcome-small">No password: you are remembered in this browser only.</p>
      </form>
    </main>
  );
}
