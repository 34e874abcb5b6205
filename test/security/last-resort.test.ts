import { PlainClient } from '../client.js';
import { freePort } from '../topology/haproxy.js';
import { InstanceProcess } from '../topology/topology.js';
import { createDatabase } from '../environment/database.js';
import { adminKey, jwtSecret } from '../instance.js';

/** Loaded before the server: an error that nobody catches, at a signal. */
const PLANTED = `data:text/javascript,process.on('SIGUSR2', () => setTimeout(() => {
  if (process.env.PLANTED === 'rejection') Promise.reject(new Error('planted'));
  else throw new Error('planted');
}))`;

describe.each(['exception', 'rejection'])('a process in which an %s is caught by nobody', (kind) => {
  let database: Awaited<ReturnType<typeof createDatabase>>;
  let instance: InstanceProcess;
  beforeAll(async () => {
    database = await createDatabase();
    const settings = { DATABASE_URL: database.url, JWT_SECRET: jwtSecret, ADMIN_KEY: adminKey, DRAIN_MS: '3000' };
    const NODE_OPTIONS = `--import="${PLANTED.replaceAll(/\s+/g, ' ')}"`;
    // Open to all addresses, as in production; what connects comes from here.
    const HOST = kind === 'exception' ? '0.0.0.0' : '127.0.0.1';
    instance = new InstanceProcess(await freePort(), { ...settings, HOST, NODE_OPTIONS, PLANTED: kind });
    await instance.start();
  });
  afterAll(async () => {
    await instance.end('SIGKILL');
    await database.drop();
  });

  it('says so in the log, lets clients go as at a stop, and ends with 1 (S-60)', async () => {
    const client = await PlainClient.connect(`http://${instance.address}`, 'ann');
    const { room } = await client.ask('room:create', { name: 'Room' });
    await client.ask('message:send', { roomId: room.id, clientMsgId: 'a', text: 'Kept' });
    const told = new Promise((resolve) => client.socket.once('session:reconnect', resolve));
    const ended = instance.end('SIGUSR2');
    await told;
    expect(await instance.readiness()).toMatchObject({ ready: false, draining: true });
    client.close();
    expect(await ended).toEqual({ code: 1, signal: null });
    expect(instance.output().match(/Error: planted/g)).toHaveLength(1);
    expect(instance.output()).toContain(kind === 'exception' ? 'Uncaught exception' : 'Unhandled rejection');
  });

  it('has warned where it is open to other machines without TLS, and only there (S-11)', () => {
    expect(instance.output().includes('tokens and messages pass in the')).toBe(kind === 'exception');
    expect(instance.output()).not.toContain(jwtSecret);
  });
});
