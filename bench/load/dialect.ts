/** What a server's clients say and hear, as Socket.IO packets in text. Both acknowledge a send by the number it was sent under. */
export interface Dialect {
  connect(token: string): string;
  /** Whether the frame tells that the connection may be used. */
  isReady(frame: Buffer): boolean;
  /** Undefined where rooms are not made. */
  createRoom: ((number: number, name: string) => string) | undefined;
  /** Of the answer to `createRoom`. */
  roomIdOf(answer: string): string;
  join(number: number, roomId: string): string;
  send(number: number, roomId: string, text: string): string;
}

const packet = (number: number, event: string, request: object): string =>
  `42${number}${JSON.stringify([event, request])}`;

export const dialects = {
  parley: {
    connect: (token) => `40${JSON.stringify({ token })}`,
    isReady: (frame) => frame.subarray(0, 17).toString('latin1') === '42["session:ready',
    createRoom: (number, name) => packet(number, 'room:create', { name, visibility: 'public' }),
    roomIdOf: (answer) => /"room":\{"id":"([^"]+)"/.exec(answer)?.[1] ?? '',
    join: (number, roomId) => packet(number, 'room:join', { roomId }),
    send: (number, roomId, text) => packet(number, 'message:send', { roomId, clientMsgId: `m${number}`, text }),
  },
  /** Of the servers in `servers/programs`. */
  bare: {
    connect: () => '40',
    isReady: (frame) => frame.subarray(0, 3).toString('latin1') === '40{',
    createRoom: undefined,
    roomIdOf: (answer) => answer,
    join: (number, roomId) => packet(number, 'join', { roomId }),
    send: (number, roomId, text) => packet(number, 'send', { roomId, text }),
  },
} satisfies Record<string, Dialect>;

export type DialectName = keyof typeof dialects;
