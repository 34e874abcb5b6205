import type { RoomAndMember } from '../../src/protocol/index.js';
import type { PlainClient } from './plain-client.js';

/** No connection of the history. */
const none = -1;

/** The user leaves the room by way of another instance than the one that the client is connected to. @throws when it is refused */
export async function leaveOverRest({ options }: PlainClient, instanceUrl: string, roomId: string): Promise<void> {
  const { recorder, name: client, user, token } = options;
  const room = recorder.nameOf(roomId);
  const request = recorder.nextRequest();
  const membership = { room, user, on: false };
  recorder.write({ type: 'request', request, client, user, connection: none, event: 'room:leave', membership });
  const response = await fetch(`${instanceUrl}/v1/rooms/${roomId}/leave`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(10_000),
  });
  if (!response.ok) throw new Error(`${client} could not leave ${room}: ${await response.text()}`);
  const { member } = (await response.json()) as RoomAndMember;
  recorder.write({ type: 'ok', request, member: { room, rev: member.rev, user, left: true } });
}
