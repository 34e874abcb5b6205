import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { z } from 'zod';
import { RoomName, SendMessage, UserName } from '../../src/protocol/index.js';

const Line = z.object({ room: RoomName, user: UserName, text: SendMessage.shape.text });

/** A message of the file. `text` is what Parley stores of it: the same characters, composed (NFC). */
export interface Said {
  /** The line's number in the file, from 1; the message's `clientMsgId`. */
  id: number;
  room: string;
  user: string;
  text: string;
}

/**
 * Reads lines of `{"room": …, "user": …, "text": …}`, gzipped or not.
 * @throws when a line is not of that shape, or says what Parley does not take; names the line
 */
export async function readConversation(path: string, limit = Infinity): Promise<Said[]> {
  const file = createReadStream(path);
  const input = path.endsWith('.gz') ? file.pipe(createGunzip()) : file;
  const said: Said[] = [];
  for await (const line of createInterface({ input, crlfDelay: Infinity })) {
    if (said.length >= limit) break;
    if (line === '') continue;
    const parsed = Line.safeParse(parseJson(line));
    if (!parsed.success) throw new Error(`Line ${said.length + 1} of ${path}: ${z.prettifyError(parsed.error)}`);
    said.push({ id: said.length + 1, ...parsed.data });
  }
  file.destroy();
  return said;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
