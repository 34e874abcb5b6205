/**
 * The program of a client that keeps its outbox on disk: URL, token, room, and the file. What its parent sends is written
 * there before anything else, and sent then; what the file holds at the start and was not acknowledged is sent first.
 */
import { appendFileSync } from 'node:fs';
import { Parley } from '../../sdk/index.js';
import { doneFile, readJournal, type Told, type ToSend } from './journalled-client.js';

const [url = '', token = '', roomId = '', file = ''] = process.argv.slice(2);
const parley = new Parley({ url, token, transports: ['websocket'], backoff: { baseMs: 100, capMs: 1_000 } });

function send({ clientMsgId, text }: ToSend): void {
  void parley.send(roomId, text, { clientMsgId }).sent.then(({ message, duplicate }) => {
    appendFileSync(doneFile(file), `${JSON.stringify({ clientMsgId, text })}\n`);
    process.send?.({ sent: message, duplicate } satisfies Told, () => undefined);
  });
}

const done = new Set(readJournal(doneFile(file)).map(({ clientMsgId }) => clientMsgId));
for (const kept of readJournal(file)) if (!done.has(kept.clientMsgId)) send(kept);
process.on('message', (message) => {
  const toSend = message as ToSend;
  appendFileSync(file, `${JSON.stringify(toSend)}\n`);
  send(toSend);
});
process.send?.('up' satisfies Told);
process.on('disconnect', () => process.exit(0));
