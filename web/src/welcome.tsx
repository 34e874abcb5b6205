import { useEffect, useState } from 'react';
import { waysIn, type WaysIn } from '../../sdk/index.js';
import { AccountForm } from './account-form.js';
import { GuestForm } from './guest-form.js';
import { Logo } from './icons.js';
import { lastAccount, type Entered } from './session.js';

interface WelcomeProps {
  /** Why the person is here again. */
  notice: string | undefined;
  onEnter: (entered: Entered) => void;
}

type Way = 'guest' | 'log-in' | 'register';

const leads: Record<Way, string> = {
  guest: 'Rooms to talk in. Pick a name that the others will see.',
  'log-in': 'Rooms to talk in. Log in with your account.',
  register: 'Rooms to talk in. Your account keeps them on all of your devices.',
};
const offers: Record<Way, string> = {
  guest: 'Come in without an account',
  'log-in': 'Log in',
  register: 'Create an account',
};

export function Welcome({ notice, onEnter }: WelcomeProps) {
  const ways = useWaysIn();
  const [chosen, setChosen] = useState<Way>();
  const open: Way[] = [
    ...(ways?.guests === true ? (['guest'] as const) : []),
    ...(ways?.accounts === true ? (['log-in', 'register'] as const) : []),
  ];
  const usual = lastAccount() && open.includes('log-in') ? 'log-in' : open[0];
  const way = chosen ?? usual;

  return (
    <main className="welcome">
      <div className="welcome-card">
        <Logo />
        <h1>Parley</h1>
        <p className="welcome-lead">
          {way === undefined && ways ? 'People come in here through the app that this belongs to.' : way && leads[way]}
        </p>
        {notice && (
          <p className="welcome-notice" role="status">
            {notice}
          </p>
        )}
        {way === 'guest' && <GuestForm onEnter={onEnter} />}
        {(way === 'log-in' || way === 'register') && (
          <AccountForm key={way} isNew={way === 'register'} onEnter={onEnter} />
        )}
        {open.length > 1 && (
          <p className="welcome-small welcome-ways">
            {open
              .filter((other) => other !== way)
              .map((other) => (
                <button key={other} className="button quiet" type="button" onClick={() => setChosen(other)}>
                  {offers[other]}
                </button>
              ))}
          </p>
        )}
      </div>
    </main>
  );
}

/** Undefined until it is known. Where the server does not say, guests may try. */
function useWaysIn(): WaysIn | undefined {
  const [ways, setWays] = useState<WaysIn>();
  useEffect(() => {
    waysIn(location.origin).then(setWays, () => setWays({ guests: true, accounts: false }));
  }, []);
  return ways;
}
