import { useCallback, useEffect } from 'react';
import type { Report } from '../../../sdk/index.js';
import { inLine } from '../conversation/quote.js';
import { reasonWords } from '../conversation/report-dialog.js';
import { useChat } from '../use-chat.js';
import { useDeed } from '../use-deed.js';
import { usePages } from '../use-pages.js';
import { listing } from '../words.js';
import { PagedList } from './paged-list.js';

/** Reported messages that wait for an answer, the oldest report first. */
export function Reports({ roomId }: { roomId: string }) {
  const { parley } = useChat();
  const deed = useDeed();
  const ask = useCallback((cursor?: string) => parley.moderation.reports({ roomId, cursor }), [parley, roomId]);
  const pages = usePages(ask);
  const { reload } = pages;
  useEffect(() => parley.on('reports', (changed) => changed === roomId && void reload()), [parley, roomId, reload]);
  const answer = (report: Report, action: 'dismiss' | 'delete') =>
    void deed(() => parley.moderation.answerReport(report, action)).then(reload);
  return (
    <PagedList pages={pages} empty="Nothing is reported." keyOf={({ id }) => id}>
      {(report) => (
        <>
          <span className="settings-item">
            <bdi>{report.message.sender.name}</bdi>: <bdi>{inLine(report.message)}</bdi>
            <span className="optional">
              {' '}
              {listing(
                report.reporters.map(
                  ({ user, reason, text }) => `${user.name} (${reasonWords[reason]}${text && `: ${text}`})`,
                ),
              )}
              {report.count > report.reporters.length && ` and ${report.count - report.reporters.length} more`}
            </span>
          </span>
          <button className="button quiet" type="button" onClick={() => answer(report, 'dismiss')}>
            Dismiss
          </button>
          <button className="button danger" type="button" onClick={() => answer(report, 'delete')}>
            Delete
          </button>
        </>
      )}
    </PagedList>
  );
}
