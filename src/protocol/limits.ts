/**
 * The bounds of the contract. A client may rely on every one of them; `session:ready` announces them.
 * Lengths are UTF-16 code units, sizes are bytes, times are milliseconds.
 */
export const limits = {
  /** Longest message text. */
  textLength: 4_000,
  /** Versions of one message, the first one included. */
  messageVersions: 100,
  /** Different emojis that members may react to one message with. */
  emojisPerMessage: 20,
  /** Longest emoji, in bytes of UTF-8. The longest of Unicode has 35. */
  emojiBytes: 36,
  /** Users that a reaction names; all are counted. */
  reactionUsers: 10,
  /** Most pinned messages of a room. */
  pins: 50,
  /** Most users that one message mentions by name. */
  mentions: 50,
  /** Largest `meta` of a message, in bytes of its JSON. */
  metaBytes: 2 * 1024,
  /** Deepest nesting of `meta`. */
  metaDepth: 4,
  /** Longest name of a room. */
  roomNameLength: 80,
  /** Longest topic of a room. */
  topicLength: 500,
  /** Longest name of a user. */
  userNameLength: 40,
  /** Longest handle of an account. */
  handleLength: 32,
  /** Shortest password of an account, in characters. */
  passwordLengthMin: 8,
  /** Longest password of an account, in characters. */
  passwordLength: 128,
  /** Longest name of a device in the list of sessions. */
  deviceNameLength: 80,
  /** Most sessions of an account; one more ends the one that was not used for the longest time. */
  sessionsPerAccount: 50,
  /** Longest `clientMsgId`. */
  clientMsgIdLength: 64,
  /** Longest token. */
  tokenLength: 8_192,
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
  /** Unread messages are counted up to here, which means that there are as many or more. */
  unreadCap: 100,
  /** Rooms of more members do not tell who has read how far. */
  receiptMembers: 100,
  /** Rooms with more connections do not tell who is typing. */
  typingOnline: 100,
  /** Users whom one connection may watch. */
  presenceWatched: 200,
  /** Rooms of which a connection may be told how many are online. */
  roomsCounted: 20,
  /** Most rooms a user may be a member of. */
  roomsPerUser: 1_000,
  /** Highest `memberLimit` that a room may be given. */
  membersPerRoom: 1_000_000,
  /** Largest `meta` of a room, as JSON in UTF-8, in bytes. */
  roomMetaBytes: 4 * 1024,
  /** Longest `slowModeS`, in seconds. */
  slowModeS: 21_600,
  /** Longest reason of a ban, and text of a report. */
  reasonLength: 500,
  /** Messages that one request purges, at most; it says when there are more. */
  purge: 10_000,
  /** Longest `purgeLastS`, in seconds. */
  purgeS: 31_536_000,
  /** Longest word or domain of a filter. */
  filterLength: 64,
  /** Most filters of a room, and most of the deployment. */
  filters: 500,
  /** Most messages of a room that wait for a moderator. */
  heldPerRoom: 500,
  /** Reporters of a message who are told by name; all are counted. */
  reporters: 10,
  /** Messages that a user may report in an hour. */
  reportsPerHour: 60,
  /** Most invites of a room that hold at the same time. */
  invitesPerRoom: 200,
  /** Requests of one socket that may wait for their reply at the same time; one more is answered `rate_limited`. */
  requestsInFlight: 64,
} as const;

export type Limits = { readonly [K in keyof typeof limits]: number };
