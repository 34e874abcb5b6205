import { useEffect, useRef, useState, type ReactNode } from 'react';

interface PopupProps {
  /** Of the button that opens it, as it is read out. */
  label: string;
  /** What the button shows. */
  face: ReactNode;
  className?: string;
  /** Called with what closes it. */
  children: (close: () => void) => ReactNode;
}

/** A button with something small that opens beside it. Escape, and leaving it, close it; the focus goes back to the button. */
export function Popup({ label, face, className = 'icon-button', children }: PopupProps) {
  const [open, setOpen] = useState(false);
  const frame = useRef<HTMLSpanElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  useEffect(() => {
    if (!open) return;
    content.current?.querySelector<HTMLElement>('button, input')?.focus();
    content.current?.scrollIntoView({ block: 'nearest' });
    const leave = (event: Event) => {
      if (!frame.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener('pointerdown', leave);
    document.addEventListener('focusin', leave);
    return () => {
      document.removeEventListener('pointerdown', leave);
      document.removeEventListener('focusin', leave);
    };
  }, [open]);
  return (
    <span
      className="popup-frame"
      ref={frame}
      data-open={open}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || !open) return;
        event.stopPropagation();
        close();
      }}
    >
      <button
        ref={button}
        className={className}
        type="button"
        aria-label={label}
        title={label}
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        {face}
      </button>
      {open && (
        <div className="popup" role="group" aria-label={label} ref={content}>
          {children(close)}
        </div>
      )}
    </span>
  );
}
