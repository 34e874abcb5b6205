/**
 * The bounds of the contract. A client may rely on every one of them; `session:ready` announces them.
 * Lengths are UTF-16 code units, sizes are bytes, times are milliseconds.
 */
export const limits = {
  /** Longest message text. */
  textLength: 4_000,
  /** Longest name of a room. */
  roomNameLength: 80,
  /** Longest topic of a room. */
  topicLength: 500,
  /** Longest name of a user. */
  userNameLength: 40,
  /** Longest `clientMsgId`. */
  clientMsgIdLength: 64,
  /** Largest packet or request body that the server reads, in bytes. */
  payloadBytes: 64 * 1024,
  /** Deepest nesting of a request. */
  payloadDepth: 8,
  /** Most keys and array elements of a request, all levels together. */
  payloadNodes: 4_096,
  /** Most messages in a page of history. */
  historyPage: 200,
  /** Messages in a page of history when the request names no limit. */
  historyPageDefault: 50,
  /** Most entries in a page of rooms or members. */
  listPage: 200,
  /** Entries in a page of rooms or members when the request names no limit. */
  listPageDefault: 50,
  /** Most changes of one room in one sync reply; `more` tells that there are others. */
  syncPage: 300,
  /** Most changes of all rooms in one `rooms:sync` reply. */
  syncTotal: 2_000,
  /** Most messages that the snapshot of one room carries. */
  snapshotMessages: 30,
  /** Most rooms a user may be a member of. */
  roomsPerUser: 1_000,
  /** Requests of one socket that may wait for their reply at the same time; one more is answered `rate_limited`. */
  requestsInFlight: 64,
} as const;

export type Limits = { readonly [K in keyof typeof limits]: number };
