import type { RoomAndMember } from '../../src/protocol/index.js';
import type { PlainClient } from './plain-client.js';

/** No connection of the history. */
const none = -1;

/** Makes a room, or joins it, and records that. @throws when it is refused */
export async function joinOverRest(
  { options }: PlainClient,
  url: string,
  roomId: string,
  body: object = {},
): Promise<void> {
  const { recorder, name: client, user, token } = options;
  const room = recorder.nameOf(roomId);
  const request = recorder.nextRequest();
  const membership = { room, user, on: true };
  recorder.write({ type: 'request', request, client, user, connection: none, event: 'room:join', membership });
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${client} could not join ${room}: ${await response.text()}`);
  const { member } = (await response.json()) as RoomAndMember;
  recorder.call(member.user.id, user);
  recorder.write({ type: 'ok', request, member: { room, rev: member.rev, user, left: false } });
}
