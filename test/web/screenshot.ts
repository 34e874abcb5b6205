/**
 * Makes docs/chat.png, the picture of the README: two people talk through the page on an instance of its own.
 * Run it with: node --import ./test/environment/typescript.mjs test/web/screenshot.ts
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '../../src/database/embedded-postgres.js';
import { ChatWindow } from './chat-window.js';
import { openStage, type Stage } from './stage.js';

const target = process.argv[2] ?? 'docs/chat.png';

const dir = await mkdtemp(join(tmpdir(), 'parley-screenshot-'));
try {
  const postgres = await startEmbeddedPostgres({ dir });
  process.env['TEST_POSTGRES_URL'] = postgres.url;
  try {
    const stage = await openStage();
    try {
      await picture(stage);
    } finally {
      await stage.close();
    }
  } finally {
    await postgres.stop();
  }
} finally {
  await rm(dir, { recursive: true, force: true });
}

async function picture({ browser, instance }: Stage): Promise<void> {
  const open = async (name: string) => (await ChatWindow.open(browser, instance.url)).enter(name);
  const [mira, jonas, tove] = [await open('Mira Holm'), await open('Jonas Feld'), await open('Tove Lind')];

  await tove.createRoom('Book club', 'In March: The Summer Book');
  await tove.createRoom('Allotment 14', 'Water, seeds, and who has the key');
  await jonas.createRoom('Choir, tenors', 'Rehearsals on Tuesdays at 19:30');
  await jonas.say('New scores are in the red folder');
  await mira.join('Choir, tenors');
  await mira.createRoom('Trip to Aarhus');
  await mira.say('Tickets are booked, two seats by the window');
  await mira.createRoom('Boathouse Saturday', 'Launching the Hedwig, 10:00 at the old slip');
  await jonas.join('Boathouse Saturday');

  const talk: [ChatWindow, string][] = [
    [jonas, 'Morning! How does the weather look for Saturday?'],
    [mira, 'Dry until four, then a bit of wind from the west. Good enough for the launch.'],
    [jonas, 'Perfect. The varnish on the tiller has dried, I had a look last night.'],
    [jonas, 'Only the pump still makes that noise.'],
    [mira, 'The one like a cat that wants to come in?'],
    [jonas, 'Exactly that one.'],
  ];
  for (const [who, text] of talk) await seen(who, text, [mira, jonas]);
  await tove.join('Boathouse Saturday');
  await mira.timeline.getByText('Tove Lind joined').waitFor();
  const more: [ChatWindow, string][] = [
    [tove, 'Hello, I heard you need hands on Saturday'],
    [mira, 'Two of them would be wonderful! Ten o’clock at the old slip. Bring boots.'],
    [mira, 'Jonas, could you take the spare rope along? It hangs behind the door.'],
    [jonas, 'It is in the car already.'],
  ];
  for (const [who, text] of more) await seen(who, text, [mira, jonas, tove]);

  await jonas.openRoom('Choir, tenors');
  await jonas.say('No rehearsal next Tuesday, the hall is taken');
  await jonas.say('We meet at my place instead');
  await mira.page.getByRole('link', { name: /2 unread/ }).waitFor();
  await mira.composer.fill('Then we have everything. See you both on');
  await mira.page.mouse.move(800, 790);
  await mira.page.screenshot({ path: target });
}

async function seen(who: ChatWindow, text: string, by: ChatWindow[]): Promise<void> {
  await who.say(text);
  await Promise.all(by.map((window) => window.said(text).waitFor()));
}
