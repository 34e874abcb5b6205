const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const shortDate = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const longDate = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const datedYear = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'long', year: 'numeric' });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'short' });

const dayMs = 24 * 60 * 60 * 1000;

/** The calendar day in the reader's time zone, as a key to compare: `2026-3-9`. */
export function dayKey(at: Date): string {
  return `${at.getFullYear()}-${at.getMonth() + 1}-${at.getDate()}`;
}

export const clockTime = (at: Date): string => clock.format(at);
export const exactTime = (at: Date): string => exact.format(at);

/** `Today`, `Yesterday`, `Monday 9 March`, or with the year when it is another one. */
export function dayName(at: Date, now = new Date()): string {
  if (dayKey(at) === dayKey(now)) return 'Today';
  if (dayKey(at) === dayKey(new Date(now.getTime() - dayMs))) return 'Yesterday';
  return at.getFullYear() === now.getFullYear() ? longDate.format(at) : datedYear.format(at);
}

/** For a list: the time of today, the date of earlier days. */
export function briefTime(at: Date, now = new Date()): string {
  return dayKey(at) === dayKey(now) ? clock.format(at) : shortDate.format(at);
}
