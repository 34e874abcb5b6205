import { useState } from 'react';
import { Account, ParleyError } from '../../sdk/index.js';
import { limits } from '../../src/protocol/limits.js';
import { EntranceForm } from './entrance-form.js';
import { accountStore, enterAs, lastAccount, type Entered } from './session.js';
import { inWords } from './words.js';

interface AccountFormProps {
  /** To be registered. */
  isNew: boolean;
  onEnter: (entered: Entered) => void;
}

function refusal(failure: unknown): string {
  if (!(failure instanceof ParleyError)) return inWords(failure);
  switch (failure.code) {
    case 'unauthenticated':
      return 'The handle or the password is wrong. After several wrong tries, wait a while.';
    case 'conflict':
      return 'That handle is taken, or looks like one that is.';
    case 'banned':
      return 'You are not let in here any more.';
    default:
      return inWords(failure);
  }
}

export function AccountForm({ isNew, onEnter }: AccountFormProps) {
  const last = lastAccount();
  const [handle, setHandle] = useState(isNew ? '' : (last?.handle ?? ''));
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');

  const enter = async () => {
    const credentials = { handle: handle.trim(), password, deviceName: deviceName() };
    const proof = last?.handle === credentials.handle.toLowerCase() ? { deviceToken: last.deviceToken } : {};
    const account = isNew
      ? await Account.register(location.origin, { ...credentials, name: name.trim() }, accountStore)
      : await Account.logIn(location.origin, { ...credentials, ...proof }, accountStore);
    onEnter(enterAs(account));
  };

  return (
    <EntranceForm
      action={isNew ? 'Create account' : 'Log in'}
      ready={handle.trim() !== '' && password !== '' && (!isNew || name.trim() !== '')}
      enter={enter}
      refusal={refusal}
      small={
        isNew
          ? 'A password that is forgotten cannot be got back: keep it well.'
          : 'You stay logged in in this browser until you log out.'
      }
    >
      {(error) => (
        <>
          <label htmlFor="handle">Handle</label>
          <input
            {...error}
            id="handle"
            className="field"
            value={handle}
            onChange={(event) => setHandle(event.target.value)}
            maxLength={limits.handleLength}
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            autoFocus
            required
          />
          {isNew && (
            <>
              <label htmlFor="account-name">Your name</label>
              <input
                id="account-name"
                className="field"
                value={name}
                onChange={(event) => setName(event.target.value)}
                maxLength={limits.userNameLength}
                autoComplete="nickname"
                autoCapitalize="words"
                spellCheck={false}
                required
              />
            </>
          )}
          <label htmlFor="password">
            {isNew ? `Password, ${limits.passwordLengthMin} characters or more` : 'Password'}
          </label>
          <input
            {...error}
            id="password"
            className="field"
            type="password"
            value={password}
            onChange={(event) => setPassword(event.target.value)}
            autoComplete={isNew ? 'new-password' : 'current-password'}
            enterKeyHint="go"
            required
          />
        </>
      )}
    </EntranceForm>
  );
}

/** For the list of sessions: `Firefox on Linux`. */
function deviceName(): string {
  const { userAgent } = navigator;
  const [, browser = 'Browser'] = /(Edg|Firefox|Chrome|Safari)\w*\//.exec(userAgent) ?? [];
  const [, system] = /(Windows|Android|iPhone|iPad|Mac OS|Linux)/.exec(userAgent) ?? [];
  return `${browser === 'Edg' ? 'Edge' : browser}${system === undefined ? '' : ` on ${system}`}`;
}
