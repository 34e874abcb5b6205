/** What a server's clients say and hear, as Socket.IO packets in text. All requests are acknowledged by the number they were sent under. */
export interface Dialect {
  connect: (token: string) => string;
  /** Whether the frame tells that the connection may be used. */
  isReady: (frame: Buffer) => boolean;
  /** Of the answer to `createRoom`. */
  roomIdOf: (answer: string) => string;
  join: (number: number, roomId: string) => string;
  leave: (number: number, roomId: string) => string;
  send: (number: number, roomId: string, text: string) => string;
  /** The others are left out where the server has nothing of the kind. */
  createRoom?: (number: number, name: string) => string;
  history?: (number: number, roomId: string) => string;
  members?: (number: number, roomId: string) => string;
  /** What was missed in all rooms, asked for with no cursors. */
  sync?: (number: number) => string;
}

export const packet = (number: number, event: string, request: object): string =>
  `42${number}${JSON.stringify([event, request])}`;

/** So that no load sends under the names of one before it, for whose retries its messages would be taken. */
const load = Date.now().toString(36);

const parley: Dialect = {
  connect: (token) => `40${JSON.stringify({ token })}`,
  isReady: (frame) => frame.subarray(0, 17).toString('latin1') === '42["session:ready',
  roomIdOf: (answer) => /"room":\{"id":"([^"]+)"/.exec(answer)?.[1] ?? '',
  join: (number, roomId) => packet(number, 'room:join', { roomId }),
  leave: (number, roomId) => packet(number, 'room:leave', { roomId }),
  send: (number, roomId, text) => packet(number, 'message:send', { roomId, clientMsgId: `${load}-${number}`, text }),
  createRoom: (number, name) => packet(number, 'room:create', { name, visibility: 'public' }),
  history: (number, roomId) => packet(number, 'history:get', { roomId }),
  members: (number, roomId) => packet(number, 'members:list', { roomId }),
  sync: (number) => packet(number, 'rooms:sync', {}),
};

/** Of the servers in `servers/programs`. */
const bare: Dialect = {
  connect: () => '40',
  isReady: (frame) => frame.subarray(0, 3).toString('latin1') === '40{',
  roomIdOf: (answer) => answer,
  join: (number, roomId) => packet(number, 'join', { roomId }),
  leave: (number, roomId) => packet(number, 'leave', { roomId }),
  send: (number, roomId, text) => packet(number, 'send', { roomId, text }),
};

export const dialects = { parley, bare };
export type DialectName = keyof typeof dialects;
