import { createContext, useContext } from 'react';
import { CloseIcon } from './icons.js';

/** Tells the person that something did not work, or takes the last such word away. */
export const SayContext = createContext<(text: string | undefined) => void>(() => undefined);
export const useSay = () => useContext(SayContext);

export function Notice({ text, onDismiss }: { text: string | undefined; onDismiss: () => void }) {
  return (
    <div className="notice-place" role="alert">
      {text !== undefined && (
        <div className="notice">
          <span>{text}</span>
          <button className="icon-button" type="button" aria-label="Dismiss" onClick={onDismiss}>
            <CloseIcon />
          </button>
        </div>
      )}
    </div>
  );
}
