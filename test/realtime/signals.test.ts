import { EventEmitter } from 'node:events';
import type { Config } from '../../src/config.js';
import { Flooders } from '../../src/realtime/flooders.js';
import { ConnectionGuard, type EngineConnection, type SocketIoClient } from '../../src/realtime/connection-guard.js';

const KIB = 1024;
const config = {
  limits: {
    requestsPerSecond: 500,
    inboundBytesPerSecond: 1024 * KIB,
    outboundBytes: 64 * KIB,
    connectsPerSecond: 250,
  },
} as Config;

describe('signals', () => {
  let guard: ConnectionGuard;
  let conn: EventEmitter;
  let written: unknown[];
  let client: SocketIoClient;

  beforeEach(() => {
    guard = new ConnectionGuard(config, new Flooders());
    written = [];
    conn = Object.assign(new EventEmitter(), { transport: { name: 'polling' }, close: () => undefined });
    client = {
      conn: conn as unknown as EngineConnection,
      writeToEngine: (packet, { volatile }) => written.push([packet, volatile ?? false]),
    };
    guard.watch(client.conn);
    guard.shedSignals(client);
  });
  afterEach(() => guard.beforeApplicationShutdown());

  const waits = (bytes: number) => conn.emit('packetCreate', { type: 'message', data: 'x'.repeat(bytes) });

  it('are shed while a quarter of what may wait for the connection does, and nothing else is', () => {
    waits(17 * KIB);
    client.writeToEngine('signal', { volatile: true });
    client.writeToEngine('changes', {});
    expect(written).toEqual([['changes', false]]);
    expect(guard.shed).toBe(1);
  });

  it('are sent again once the connection has taken what waited', () => {
    waits(17 * KIB);
    conn.emit('flush');
    client.writeToEngine('signal', { volatile: true });
    expect(written).toEqual([['signal', false]]);
  });

  it('are sent to a connection that is only being written to', () => {
    waits(4 * KIB);
    client.writeToEngine('signal', { volatile: true });
    expect(written).toEqual([['signal', false]]);
    expect(guard.shed).toBe(0);
  });
});
