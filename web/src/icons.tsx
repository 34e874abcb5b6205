import type { ReactNode } from 'react';

function Icon({ children }: { children: ReactNode }) {
  return (
    <svg className="icon" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" focusable="false">
      {children}
    </svg>
  );
}

export const BackIcon = () => (
  <Icon>
    <path d="M12.5 4 6.5 10l6 6" />
  </Icon>
);
export const CloseIcon = () => (
  <Icon>
    <path d="m5 5 10 10M15 5 5 15" />
  </Icon>
);
export const DownIcon = () => (
  <Icon>
    <path d="M10 4v11.5M5 11l5 5 5-5" />
  </Icon>
);
export const PeopleIcon = () => (
  <Icon>
    <path d="M7.5 9.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM2 16.5c.4-3 2.6-4.5 5.5-4.5s5.1 1.5 5.5 4.5M13.2 3.8a2.9 2.9 0 0 1 0 5.4M15 12.4c1.7.6 2.8 2 3.1 4.1" />
  </Icon>
);
export const PlusIcon = () => (
  <Icon>
    <path d="M10 4v12M4 10h12" />
  </Icon>
);
export const SearchIcon = () => (
  <Icon>
    <path d="M9 14.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11ZM13 13l4 4" />
  </Icon>
);
export const SendIcon = () => (
  <Icon>
    <path d="M10 16V4.5M5 9l5-5 5 5" />
  </Icon>
);

export const SmileIcon = () => (
  <Icon>
    <path d="M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM7 11.8c.7 1.2 1.7 1.8 3 1.8s2.3-.6 3-1.8M7.7 8v.4M12.3 8v.4" />
  </Icon>
);
export const AnswerIcon = () => (
  <Icon>
    <path d="M8 5 3.5 9.5 8 14M4 9.5h7.5c3 0 5 1.8 5 5.5" />
  </Icon>
);
export const MoreIcon = () => (
  <Icon>
    <path className="dots" d="M4.5 10h.01M10 10h.01M15.5 10h.01" />
  </Icon>
);
export const PinIcon = () => (
  <Icon>
    <path d="M10 12.5V17M6.5 12.5h7l-1.2-3.5V4h1M6.7 4h6.600M7.7 4v5l-1.2 3.5" />
  </Icon>
);
export const SettingsIcon = () => (
  <Icon>
    <path d="M3 6h7M14 6h3M3 14h3M10 14h7M12 8a2 2 0 1 0 0-4 2 2 0 0 0 0 4ZM8 16a2 2 0 1 0 0-4 2 2 0 0 0 0 4Z" />
  </Icon>
);

export function Logo() {
  return (
    <svg className="logo" viewBox="0 0 32 32" width="32" height="32" aria-hidden="true" focusable="false">
      <path
        className="logo-back"
        d="M13 9h12a4 4 0 0 1 4 4v7a4 4 0 0 1-4 4v4l-5-4h-7a4 4 0 0 1-4-4v-7a4 4 0 0 1 4-4z"
      />
      <path
        className="logo-front"
        d="M7 3h12a4 4 0 0 1 4 4v7a4 4 0 0 1-4 4h-7l-5 4v-4a4 4 0 0 1-4-4V7a4 4 0 0 1 4-4z"
      />
    </svg>
  );
}
