import { createServer } from 'node:http';
import { createAdapter, createShardedAdapter } from '@socket.io/redis-adapter';
import { createClient } from 'redis';
import { Server } from 'socket.io';

/**
 * The server that everybody begins with: Socket.IO, rooms, no login, nothing stored. With REDIS_URL it is one of several, with
 * the adapter that ADAPTER names. Like Parley it does not compress.
 */
const { PORT, REDIS_URL, ADAPTER } = process.env;

const http = createServer();
const io = new Server(http, { perMessageDeflate: false, serveClient: false });

if (REDIS_URL !== undefined) {
  // Of itself a publish that waits for 5 s rejects, which the adapter does not catch: at full load that ended the process.
  const options = { url: REDIS_URL, commandOptions: { timeout: 60_000 } };
  const [publisher, subscriber] = [createClient(options), createClient(options)];
  await Promise.all([publisher.connect(), subscriber.connect()]);
  io.adapter(
    ADAPTER === 'sharded'
      ? createShardedAdapter(publisher, subscriber, { subscriptionMode: 'dynamic' })
      : createAdapter(publisher, subscriber),
  );
}

let sent = 0;
io.on('connection', (socket) => {
  const user = { id: socket.id, name: `user ${socket.id}` };
  socket.on('join', ({ roomId }: { roomId: string }, answer: (reply: object) => void) => {
    void socket.join(roomId);
    answer({ ok: true });
  });
  socket.on('leave', ({ roomId }: { roomId: string }, answer: (reply: object) => void) => {
    void socket.leave(roomId);
    answer({ ok: true });
  });
  socket.on('send', ({ roomId, text }: { roomId: string; text: string }, answer: (reply: object) => void) => {
    const message = { id: `${process.pid}-${++sent}`, roomId, sender: user, text, createdAt: new Date().toISOString() };
    io.to(roomId).emit('message', message);
    answer({ ok: true, id: message.id });
  });
});

http.listen(Number(PORT), '127.0.0.1');
