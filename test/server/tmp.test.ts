import { Cluster } from './cluster.js';
import { RawRequests } from './raw-requests.js';
it('x', async () => {
  const c = await Cluster.start(1);
  const a = await c.connect('ann');
  (a.socket.io.engine as any).on('packet', (p: any) => console.log('in', JSON.stringify(p).slice(0, 300)));
  const raw = new RawRequests(a);
  console.log(await a.reply('history:get').catch(String));
  console.log(await raw.ask('history:get', '').catch(String));
  console.log(await raw.ask('history:get', 'null').catch(String));
  await c.stop();
});
