import type { Candidate } from './mentioning.js';

interface MentionListProps {
  id: string;
  candidates: readonly Candidate[];
  /** Which one Enter takes. */
  at: number;
  onPick: (candidate: Candidate) => void;
}

/** Whom the `@` that is being written may mean. The focus stays in the field. */
export function MentionList({ id, candidates, at, onPick }: MentionListProps) {
  return (
    <ul className="mention-list" id={id} role="listbox" aria-label="People to mention">
      {candidates.map((candidate, i) => (
        <li
          key={candidate.userId ?? 'room'}
          id={`${id}-${i}`}
          role="option"
          aria-selected={i === at}
          onPointerDown={(event) => {
            event.preventDefault();
            onPick(candidate);
          }}
        >
          <bdi>@{candidate.name}</bdi>
          {candidate.userId === undefined && <span className="optional"> everyone here</span>}
        </li>
      ))}
    </ul>
  );
}
