import type { Note } from './rows.js';
import { listing } from '../words.js';

/** What happened between two messages, in as few lines as it can be told. */
export function NotesRow({ notes, me }: { notes: readonly Note[]; me: string }) {
  return (
    <li className="notes">
      {inRuns(notes).map((run) => (
        <p key={`${run[0]?.kind} ${run[0]?.rev}`}>
          <bdi>{told(run, me)}</bdi>
        </p>
      ))}
    </li>
  );
}

function told(run: readonly Note[], me: string): string {
  const [first] = run;
  const text = first?.text ?? '';
  if (first?.kind === 'renamed') return `The room is now called “${text}”`;
  if (first?.kind === 'topic') return text === '' ? 'The topic was cleared' : `The topic is now “${text}”`;
  const names = new Set(run.map(({ user }) => (user?.id === me ? 'You' : (user?.name ?? ''))));
  return `${listing([...names])} ${first?.kind === 'joined' ? 'joined' : 'left'}`;
}

/** Joins after joins make one line, and so do leaves. */
function inRuns(notes: readonly Note[]): Note[][] {
  const runs: Note[][] = [];
  for (const note of notes) {
    const run = runs.at(-1);
    if (run?.[0]?.kind === note.kind && note.user) run.push(note);
    else runs.push([note]);
  }
  return runs;
}
