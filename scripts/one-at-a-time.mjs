import { createHash } from 'node:crypto';
import { unlinkSync } from 'node:fs';
import { createServer, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Runs `work` when no other process on this machine runs work of the same name. Whoever holds the name listens on a local socket; the
 * others hang on to it until it closes, which the system sees to also when the holder is killed.
 */
export async function oneAtATime(name, work) {
  const address = addressOf(name);
  let holder = await hold(address);
  while (!holder) {
    await closed(address);
    holder = await hold(address);
  }
  try {
    return await work();
  } finally {
    for (const socket of holder.waiting) socket.destroy();
    await new Promise((resolve) => holder.server.close(resolve));
  }
}

function addressOf(name) {
  const key = createHash('sha256').update(name).digest('hex').slice(0, 24);
  if (process.platform === 'linux') return `\0parley-${key}`;
  return process.platform === 'win32' ? `\\\\.\\pipe\\parley-${key}` : join(tmpdir(), `parley-${key}.sock`);
}

function hold(address) {
  return new Promise((resolve, reject) => {
    const waiting = new Set();
    const server = createServer((socket) => {
      waiting.add(socket);
      socket.on('error', () => undefined).on('close', () => waiting.delete(socket));
    });
    server.once('error', (error) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error)));
    server.listen(address, () => resolve({ server, waiting }));
  });
}

function closed(address) {
  return new Promise((resolve) => {
    const socket = connect(address);
    socket.on('error', (error) => {
      // A socket file of a process that was killed; on Linux and Windows there is no file.
      if (error.code === 'ECONNREFUSED' && address.startsWith('/')) unlinkSync(address);
    });
    socket.on('close', () => setTimeout(resolve, 20));
  });
}
