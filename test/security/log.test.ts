import { connect } from 'node:net';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { adminKey, testToken } from '../instance.js';
import { collectOutput } from '../server/account-desk.js';
import { Cluster } from '../server/cluster.js';
import { RawSocket } from './raw-socket.js';

/** A line of its own, in red, for whoever reads the log. */
const forged = '\r\n{"level":"error","message":"Forged"}\u001b[31m';
/** Longer than any line of ours, in characters. */
const longest = 8_192;

it('nothing that is sent makes a line of the log, or a control character in one (S-38)', async () => {
  const output = collectOutput();
  let lines: string[] = [];
  try {
    const cluster = await Cluster.start(1, { logLevel: 'debug', docs: true });
    const { url } = cluster.instance(0);
    const { hostname, port } = new URL(url);
    const http = async (...head: string[]): Promise<string> => {
      const socket = connect(Number(port), hostname);
      await once(socket, 'connect');
      socket.end([...head, 'Host: parley', 'Connection: close', '', ''].join('\r\n'));
      return text(socket).catch(() => '');
    };
    // What HTTP does not allow in a header, and what it does.
    for (const header of ['User-Agent', 'X-Request-Id', 'X-Forwarded-For', 'Origin', 'Authorization', 'Cookie'])
      for (const value of ['\u001b[31mForged', `Forged${encodeURIComponent(forged)}`, 'Forged'.repeat(1_000)])
        await http('GET /v1/rooms HTTP/1.1', `${header}: ${value}`);
    for (const path of ['/v1/Forged%0d%0a%1b[31m', '/v1/rooms?cursor=Forged%0d%0a', '/%00Forged', '/\u001bForged'])
      for (const method of ['GET', 'POST', 'FORGED']) await http(`${method} ${path} HTTP/1.1`);
    const rest = (path: string, body: unknown) =>
      fetch(`${url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${adminKey}` },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }).then((answer) => answer.text());
    await rest('/v1/guests', { name: forged });
    await rest('/v1/guests', `{"name":"Forged${forged}`);
    await rest('/admin/v1/filters', { pattern: forged });
    const ann = await RawSocket.connect(url, await testToken('ann', { name: 'Ann' }));
    for (const packet of [
      ['Forged', forged],
      [forged, {}],
      ['room:create', { name: forged }],
      ['room:create', { [forged]: 1 }],
      ['message:send', { roomId: forged, clientMsgId: forged, text: forged }],
    ])
      ann.connection.send(`421${JSON.stringify(packet)}`);
    ann.connection.send(`42${forged}`);
    await ann.closed;
    await expect(RawSocket.connect(url, forged)).rejects.toThrow('unauthenticated');
    await expect(RawSocket.connect(url, await testToken(forged, { name: forged }))).rejects.toThrow();
    await cluster.stop();
  } finally {
    lines = output.text().split('\n');
    output.stop();
  }
  expect(lines.pop()).toBe('');
  expect(lines.length).toBeGreaterThan(2);
  for (const line of lines) {
    expect(line).not.toMatch(/\p{Cc}/u);
    expect(line.length).toBeLessThan(longest);
    expect(Object.keys(JSON.parse(line) as object)).toEqual(expect.arrayContaining(['level', 'message']));
  }
  expect(lines.join('\n')).not.toMatch(/Forged|forged/);
});
