import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { stat, unlink } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StartError } from '../../start-error.js';

/**
 * Claims a directory for this process until `release()` or the end of the process, however it ends: the claim is a listening local
 * socket, which the kernel takes back, so no stale lock file and no reused pid can mislead. Throws a StartError that names the owner's pid.
 */
export async function lockDirectory(dir: string): Promise<{ release(): Promise<void> }> {
  const { dev, ino } = await stat(dir, { bigint: true });
  const address = socketAddress(createHash('sha256').update(`${dev}:${ino}`).digest('hex').slice(0, 32));
  const server = (await listen(address)) ?? ((await isAbandoned(address)) ? await listen(address) : undefined);
  if (!server) {
    const pid = await ownerOf(address);
    throw new StartError(
      `Parley already runs on this data directory${pid ? ` (pid ${pid})` : ''}: stop it first, or choose another directory than ${dir}.`,
    );
  }
  return {
    release: async () => {
      if (!server.listening) return;
      server.close();
      await once(server, 'close');
    },
  };
}

function socketAddress(key: string): string {
  if (process.platform === 'linux') return `\0parley-${key}`;
  return process.platform === 'win32'
    ? `\\\\.\\pipe\\parley-${key}`
    : join(tmpdir(), `parley-${key.slice(0, 16)}.sock`);
}

/** Undefined when the address is taken. Whoever connects is told this process's id. */
async function listen(address: string): Promise<net.Server | undefined> {
  const server = net.createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.end(String(process.pid));
  });
  try {
    server.listen(address);
    await once(server, 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined;
    throw error;
  }
  return server.unref();
}

/** Only a socket file outlives its process; it is removed here. */
async function isAbandoned(address: string): Promise<boolean> {
  if (address.startsWith('\0') || process.platform === 'win32') return false;
  const socket = net.connect(address);
  try {
    await once(socket, 'connect');
    return false;
  } catch {
    await unlink(address).catch(() => undefined);
    return true;
  } finally {
    socket.destroy();
  }
}

async function ownerOf(address: string): Promise<string> {
  const socket = net.connect(address).setEncoding('utf8').setTimeout(1_000);
  socket.on('timeout', () => socket.destroy());
  let pid = '';
  try {
    for await (const chunk of socket) pid += String(chunk);
  } catch {
    return '';
  }
  return pid;
}
