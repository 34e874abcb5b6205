import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A TCP server and what its connections sent; the far end of a proxy under test. */
export interface Target {
  port: number;
  sockets: Socket[];
  /** All bytes that arrived, connection by connection. */
  received: () => string[];
  stop: () => Promise<void>;
}

export async function startTarget(greet?: (socket: Socket) => void): Promise<Target> {
  const sockets: Socket[] = [];
  const received: Buffer[][] = [];
  const server = createServer({ noDelay: true }, (socket) => {
    const chunks: Buffer[] = [];
    sockets.push(socket);
    received.push(chunks);
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', () => undefined);
    greet?.(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    sockets,
    received: () => received.map((chunks) => Buffer.concat(chunks).toString('latin1')),
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export interface Client {
  socket: Socket;
  received: () => string;
  /** How the connection ended, once it did. */
  ended: Promise<'closed' | 'reset'>;
}

export async function dial(port: number): Promise<Client> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const chunks: Buffer[] = [];
  let reset = false;
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => (reset = true));
  const ended = new Promise<'closed' | 'reset'>((resolve) =>
    socket.on('close', () => {
      resolve(reset ? 'reset' : 'closed');
    }),
  );
  await once(socket, 'connect');
  return { socket, received: () => Buffer.concat(chunks).toString('latin1'), ended };
}

/** Waits until it holds; the test's own time limit ends a wait in vain. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2));
}
