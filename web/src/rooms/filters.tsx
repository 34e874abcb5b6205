import { useCallback, useState, type SyntheticEvent } from 'react';
import { limits } from '../../../src/protocol/limits.js';
import type { FilterAction, FilterKind } from '../../../sdk/index.js';
import { useChat } from '../use-chat.js';
import { useDeed } from '../use-deed.js';
import { usePages } from '../use-pages.js';
import { PagedList } from './paged-list.js';

const actionWords: Record<FilterAction, string> = { mask: 'masked', hold: 'held', reject: 'refused' };

/** Words and links that the room does not take. */
export function Filters({ roomId }: { roomId: string }) {
  const { parley } = useChat();
  const deed = useDeed();
  const [pattern, setPattern] = useState('');
  const [kind, setKind] = useState<FilterKind>('word');
  const [action, setAction] = useState<FilterAction>('mask');
  const ask = useCallback((cursor?: string) => parley.moderation.filters({ roomId, cursor }), [parley, roomId]);
  const pages = usePages(ask);
  const add = async () => {
    if (await deed(() => parley.moderation.addFilter({ roomId, kind, action, pattern: pattern.trim() })))
      setPattern('');
    await pages.reload();
  };
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (pattern.trim() !== '') void add();
  };
  return (
    <>
      <form onSubmit={submit}>
        <label htmlFor="filter-pattern">{kind === 'word' ? 'Word' : 'Domain'}</label>
        <input
          id="filter-pattern"
          className="field"
          value={pattern}
          maxLength={limits.filterLength}
          autoComplete="off"
          placeholder={kind === 'word' ? undefined : 'example.org'}
          onChange={(event) => setPattern(event.target.value)}
        />
        <div className="choices">
          <select
            aria-label="Kind"
            className="field"
            value={kind}
            onChange={(event) => setKind(event.target.value as FilterKind)}
          >
            <option value="word">A word</option>
            <option value="link">Links to a domain</option>
          </select>
          <select
            aria-label="What becomes of it"
            className="field"
            value={action}
            onChange={(event) => setAction(event.target.value as FilterAction)}
          >
            <option value="mask">Masked</option>
            <option value="hold">Held for approval</option>
            <option value="reject">Message refused</option>
          </select>
          <button className="button primary" type="submit" disabled={pattern.trim() === ''}>
            Add
          </button>
        </div>
      </form>
      <PagedList pages={pages} empty="Nothing is filtered here." keyOf={({ id }) => id}>
        {(filter) => (
          <>
            <span className="settings-item">
              <bdi>{filter.pattern}</bdi>
              <span className="optional"> {actionWords[filter.action]}</span>
            </span>
            {filter.roomId !== null && (
              <button
                className="button quiet"
                type="button"
                onClick={() => void deed(() => parley.moderation.removeFilter(roomId, filter.id)).then(pages.reload)}
              >
                Remove
              </button>
            )}
          </>
        )}
      </PagedList>
    </>
  );
}
