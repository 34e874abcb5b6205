import { useEffect, useRef, type ReactNode } from 'react';
import { CloseIcon } from './icons.js';

interface PanelProps {
  title: ReactNode;
  /** Of the button that closes it, as it is read out. */
  closeLabel: string;
  onClose: () => void;
  children: ReactNode;
}

/** Beside the conversation; on a narrow screen over it. Has the focus when it opens, and closes with Escape. */
export function Panel({ title, closeLabel, onClose, children }: PanelProps) {
  const close = useRef<HTMLButtonElement>(null);
  useEffect(() => close.current?.focus(), []);
  return (
    <aside
      className="panel"
      aria-labelledby="panel-title"
      onKeyDown={(event) => {
        if (event.key === 'Escape') onClose();
      }}
    >
      <header className="panel-head">
        <h2 id="panel-title">{title}</h2>
        <button ref={close} className="icon-button" type="button" onClick={onClose} aria-label={closeLabel}>
          <CloseIcon />
        </button>
      </header>
      {children}
    </aside>
  );
}
