/**
 * Takes whatever is sent to it and refuses it soon, as Parley does, but reads nothing of it: a flood of it shows what the flooder
 * costs.
 */
import { createServer, type AddressInfo } from 'node:net';

/** About what Parley reads of a flooder, in bytes. */
const patience = 256 * 1024;
const upgraded = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
const word = Buffer.from('42["session:ready"]');
const ready = Buffer.concat([Buffer.from([0x81, word.length]), word]);
const refusal = '{"retryAfterMs":2000}';
const busy = `HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\nContent-Length: ${refusal.length}\r\n\r\n${refusal}`;
/** `P`: what a `POST` begins with. */
const POST = 0x50;
/** How long a connection may last, in ms: who has said nothing wrong has said nothing right either. */
const lastsMs = 1_000;

const server = createServer((socket) => {
  let [taken, chunks] = [0, 0];
  const late = setTimeout(() => socket.destroy(), lastsMs);
  socket.on('close', () => clearTimeout(late));
  socket.on('error', () => socket.destroy());
  socket.on('data', (bytes) => {
    if (bytes[0] === POST) {
      socket.write(busy);
      return;
    }
    chunks += 1;
    if (chunks <= 2) socket.write(chunks === 1 ? upgraded : ready);
    taken += bytes.length;
    if (taken > patience) socket.destroy();
  });
});
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
// Not longer than who started it.
process.on('disconnect', () => process.exit(1));
