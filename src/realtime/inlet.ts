import { isUtf8 } from 'node:buffer';
import { limits } from '../protocol/index.js';
import type { EngineConnection, WebSocketLink } from './connection-guard.js';

/** The first byte of a WebSocket frame that is a whole text; the bit of the second one that tells that it is masked. */
const TEXT = 0x81;
const MASKED = 0x80;
/** In the place of a length: it follows in two bytes, or in eight, which is more than anyone may send. */
const TWO_BYTES = 126;
const LONG = 127;
/** Bytes of the mask. */
const MASK = 4;
/** `WebSocket.OPEN`, and the state of its receiver at the beginning of a frame. */
const OPEN = 1;
const GET_INFO = 0;

/**
 * Reads from a WebSocket what every client sends: texts that come whole, one frame each. They are handed to Engine.IO as `ws`
 * would hand them to it; anything else (parts, binary, control frames, what is broken) is left to `ws`, in its place.
 *
 * `ws` has each chunk pass a stream and each frame five states, which costs as much as all that is done with a request up to
 * its batch. Call it once for each connection; one that begins with polling is taken when it is upgraded.
 */
export function readTexts(connection: EngineConnection): void {
  if (connection.transport.name !== 'websocket') {
    connection.once('upgrade', () => readTexts(connection));
    return;
  }
  const { transport } = connection;
  const { socket } = transport;
  if (socket?._receiver === undefined) return;
  const receiver = socket._receiver;
  const write = receiver.write.bind(receiver);
  receiver.write = (chunk) => {
    let at = 0;
    while (at < chunk.length && isAtBeginning(socket)) {
      const frame = textAt(chunk, at);
      if (frame === undefined) break;
      at = frame.end;
      transport.onData(frame.text);
    }
    return at === chunk.length || write(at === 0 ? chunk : chunk.subarray(at));
  };
}

function isAtBeginning({ readyState, extensions, _receiver }: WebSocketLink): boolean {
  const { _state, _bufferedBytes, _fragmented } = _receiver ?? {};
  return readyState === OPEN && extensions === '' && _state === GET_INFO && _bufferedBytes === 0 && _fragmented === 0;
}

/** The frame that begins here, if it is a text that came whole (RFC 6455, section 5.2). Otherwise the chunk is as it was. */
function textAt(chunk: Buffer, start: number): { text: string; end: number } | undefined {
  const lengthByte = chunk[start + 1] ?? 0;
  if (chunk[start] !== TEXT || (lengthByte & MASKED) === 0) return undefined;
  let length = lengthByte & ~MASKED;
  let at = start + 2;
  if (length === LONG) return undefined;
  if (length === TWO_BYTES) {
    if (chunk.length < at + 2) return undefined;
    length = chunk.readUInt16BE(at);
    at += 2;
  }
  const from = at + MASK;
  const end = from + length;
  if (end > chunk.length || length > limits.payloadBytes) return undefined;
  const payload = chunk.subarray(from, end);
  unmask(payload, chunk, at);
  if (isUtf8(payload)) return { text: payload.toString(), end };
  unmask(payload, chunk, at);
  return undefined;
}

/** Done twice it is as if it had not been done. */
function unmask(payload: Buffer, mask: Buffer, at: number): void {
  for (let i = 0; i < payload.length; i++) payload[i] = (payload[i] ?? 0) ^ (mask[at + (i & 3)] ?? 0);
}
