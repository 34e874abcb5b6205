import type { ReactNode } from 'react';

interface PagedListProps<T> {
  pages: { items: readonly T[]; loading: boolean; error: string | undefined; more: (() => void) | undefined };
  /** What is said of a list without entries. */
  empty: string;
  keyOf: (item: T) => string;
  children: (item: T) => ReactNode;
}

export function PagedList<T>({ pages, empty, keyOf, children }: PagedListProps<T>) {
  const { items, loading, error, more } = pages;
  return (
    <>
      {error && <p className="field-error">{error}</p>}
      {items.length === 0 && !loading && !error && <p className="list-hint">{empty}</p>}
      <ul className="settings-list" aria-busy={loading}>
        {items.map((item) => (
          <li key={keyOf(item)}>{children(item)}</li>
        ))}
      </ul>
      {more && (
        <button className="button quiet wide" type="button" onClick={more} disabled={loading}>
          Show more
        </button>
      )}
    </>
  );
}
