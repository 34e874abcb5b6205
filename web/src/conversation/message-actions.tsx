import { useState } from 'react';
import { may, type Message } from '../../../sdk/index.js';
import { Confirm } from '../dialog.js';
import { AnswerIcon, MoreIcon, SmileIcon } from '../icons.js';
import { Popup } from '../popup.js';
import { useChat, useRoom } from '../use-chat.js';
import { useDeed } from '../use-deed.js';
import { EmojiChoice } from './emoji-choice.js';
import { useReact } from './reactions.js';
import { ReportDialog } from './report-dialog.js';
import { useTalk } from './talk.js';
import { VersionsDialog } from './versions-dialog.js';

interface MessageActionsProps {
  message: Message;
  onEdit: () => void;
}

/** What may be done with a message: seen when it is pointed at, has the focus or is tapped. */
export function MessageActions({ message, onEdit }: MessageActionsProps) {
  const chat = useChat();
  const talk = useTalk();
  const state = useRoom(message.roomId);
  const toggle = useReact(message);
  const deed = useDeed();
  const [dialog, setDialog] = useState<'delete' | 'versions' | 'report'>();
  if (!state || message.deletedAt !== null) return null;
  const { parley } = chat;
  const { roomId, seq } = message;
  const { role } = state.member;
  const open = state.room.archivedAt === null;
  const mine = message.sender.id === chat.me.id;
  const name = mine ? 'you' : message.sender.name;
  const items = [
    open && mine && may(role, 'message:editOwn') && { word: 'Edit', deed: onEdit },
    open &&
      may(role, 'message:pin') && {
        word: message.pinned ? 'Unpin' : 'Pin',
        deed: () => void deed(() => parley.pinMessage(roomId, seq, !message.pinned)),
      },
    !mine && { word: 'Mark as unread', deed: () => void deed(() => chat.markUnread(roomId, seq)) },
    !mine && message.system !== true && { word: 'Report', deed: () => setDialog('report') },
    message.version !== undefined &&
      may(role, 'message:versions') && { word: 'Earlier versions', deed: () => setDialog('versions') },
    open &&
      may(role, mine ? 'message:deleteOwn' : 'message:deleteOthers') && {
        word: 'Delete',
        deed: () => setDialog('delete'),
      },
  ].filter((item) => item !== false);
  return (
    <>
      <div className="message-actions" role="toolbar" aria-label={`Message of ${name}`}>
        {open && may(role, 'message:react') && (
          <Popup label="React" face={<SmileIcon />}>
            {(close) => (
              <EmojiChoice
                onChoose={(emoji) => {
                  close();
                  toggle(emoji);
                }}
              />
            )}
          </Popup>
        )}
        {open && may(role, 'message:send') && (
          <button
            className="icon-button"
            type="button"
            aria-label="Reply"
            title="Reply"
            onClick={() => talk.answer(message)}
          >
            <AnswerIcon />
          </button>
        )}
        <Popup label="More" face={<MoreIcon />}>
          {(close) => (
            <ul className="menu">
              <li>
                <button
                  type="button"
                  onClick={() => {
                    close();
                    talk.openThread(message.threadRoot ?? seq);
                  }}
                >
                  Thread
                </button>
              </li>
              {items.map(({ word, deed: begin }) => (
                <li key={word}>
                  <button
                    type="button"
                    onClick={() => {
                      close();
                      begin();
                    }}
                  >
                    {word}
                  </button>
                </li>
              ))}
            </ul>
          )}
        </Popup>
      </div>
      {dialog === 'report' && <ReportDialog message={message} onClose={() => setDialog(undefined)} />}
      {dialog === 'versions' && <VersionsDialog message={message} onClose={() => setDialog(undefined)} />}
      {dialog === 'delete' && (
        <Confirm
          title="Delete this message?"
          text="It is gone for everyone in the room. That it was there can still be seen."
          stay="Keep it"
          action="Delete"
          onConfirm={() => {
            setDialog(undefined);
            void deed(() => parley.deleteMessage(roomId, seq));
          }}
          onClose={() => setDialog(undefined)}
        />
      )}
    </>
  );
}
