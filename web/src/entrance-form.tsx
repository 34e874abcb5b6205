import { useState, type ReactNode, type SyntheticEvent } from 'react';

/** What a field says of itself when the form was refused. */
export interface FieldError {
  'aria-invalid': boolean;
  'aria-describedby': string | undefined;
}

interface EntranceFormProps {
  action: string;
  /** Whether enough was typed to try. */
  ready: boolean;
  enter: () => Promise<void>;
  refusal: (failure: unknown) => string;
  small: string;
  children: (error: FieldError) => ReactNode;
}

/** A way in: fields, what was wrong with them, and a button. */
export function EntranceForm({ action, ready, enter, refusal, small, children }: EntranceFormProps) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string>();
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (!ready || busy) return;
    setBusy(true);
    setError(undefined);
    enter().catch((failure: unknown) => {
      setError(refusal(failure));
      setBusy(false);
    });
  };
  return (
    <form className="welcome-form" onSubmit={submit}>
      {children({ 'aria-invalid': error !== undefined, 'aria-describedby': error ? 'entrance-error' : undefined })}
      {error && (
        <p className="field-error" id="entrance-error" role="alert">
          {error}
        </p>
      )}
      <button className="button primary" type="submit" disabled={!ready || busy}>
        {busy ? 'One moment…' : action}
      </button>
      <p className="welcome-small">{small}</p>
    </form>
  );
}
