/** Takes whatever is sent to it and cuts the connection soon, as Parley does, but reads nothing of it: a flood of it shows what the flooder costs. */
import { createServer, type AddressInfo } from 'node:net';

/** About what Parley reads of a flooder, in bytes. */
const patience = 256 * 1024;
const ready = Buffer.from('42["session:ready"]');
const welcome = Buffer.concat([
  Buffer.from('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'),
  Buffer.from([0x81, ready.length]),
  ready,
]);

const server = createServer((socket) => {
  let taken = 0;
  socket.on('error', () => socket.destroy());
  socket.on('data', (bytes) => {
    if (taken === 0) socket.write(welcome);
    taken += bytes.length;
    if (taken > patience) socket.destroy();
  });
});
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
// Not longer than who started it.
process.on('disconnect', () => process.exit(1));
