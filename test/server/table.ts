import type { Change, Message } from '../../src/protocol/index.js';
import type { PlainClient } from '../client.js';
import type { Cluster } from './cluster.js';

/** Ann's room, with Ben in it on the other instance. */
export async function newRoom(cluster: Cluster): Promise<{ roomId: string; ann: PlainClient; ben: PlainClient }> {
  const [ann, ben] = [await cluster.connect('ann'), await cluster.connect('ben', 1)];
  const { id: roomId } = (await ann.ask('room:create', { name: 'Table' })).room;
  await ben.ask('room:join', { roomId });
  return { roomId, ann, ben };
}

export async function say(client: PlainClient, roomId: string, ...texts: string[]): Promise<Message[]> {
  const messages: Message[] = [];
  for (const text of texts)
    messages.push((await client.ask('message:send', { roomId, clientMsgId: text, text })).message);
  return messages;
}

/** What history, a snapshot and a catch-up from the beginning say of a message. */
export async function told(client: PlainClient, roomId: string, seq: number): Promise<(Message | undefined)[]> {
  const { messages } = await client.ask('history:get', { roomId, around: seq, limit: 1 });
  const snapshot = await client.ask('room:sync', { roomId });
  const missed = await client.ask('room:sync', { roomId, epoch: client.session.epoch, after: 0 });
  return [
    messages[0],
    snapshot.reset ? snapshot.messages.find((message) => message.seq === seq) : undefined,
    missed.reset ? undefined : messagesOf(missed.changes).find((message) => message.seq === seq),
  ];
}

export function messagesOf(changes: readonly Change[]): Message[] {
  return changes.flatMap((change) => (change.kind === 'message' ? [change.message] : []));
}

export async function seen(client: PlainClient, roomId: string, rev: number): Promise<Message | undefined> {
  await client.until(() => (client.changesOf(roomId).at(-1)?.rev ?? 0) >= rev);
  return messagesOf(client.changesOf(roomId)).find((message) => message.rev === rev);
}
