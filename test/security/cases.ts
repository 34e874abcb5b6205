export interface Case {
  /** What is tried. */
  readonly attack: string;
  /** What has to come of it. */
  readonly answer: string;
  /** Why there is nothing to try, or not all of it. */
  readonly reason?: string;
  /** True where nothing can be tried at all; otherwise a test has to have the number of the case in its name. */
  readonly absent?: boolean;
}

/** Every attack that Parley is tried with. `npm run test:security` runs the tests that have these numbers in their names. */
export const cases: Readonly<Record<string, Case>> = {
  'S-01': { attack: 'connect with no token, or with one that does not hold', answer: 'refused and closed at once' },
  'S-02': { attack: 'bring the token in the address', answer: 'refused' },
  'S-03': { attack: 'connect from a page of another origin', answer: '403 before the upgrade' },
  'S-04': { attack: 'connect with cookies alone, from another page', answer: 'refused: no cookie says who one is' },
  'S-05': { attack: 'many CONNECTs, many tokens on one connection', answer: 'one socket, one check, closed' },
  'S-06': { attack: 'ask for namespaces that are not there', answer: 'closed at the first' },
  'S-07': { attack: 'open a connection and say nothing, or its headers slowly', answer: 'closed within 10 s' },
  'S-08': { attack: 'a handshake payload that is large, deep or a list', answer: 'refused, nothing kept' },
  'S-09': { attack: 'more connections than a user or an address may have', answer: 'refused, those that stand stay' },
  'S-10': { attack: 'another version of Engine.IO, another transport, a foreign session', answer: '400' },
  'S-11': {
    attack: 'a forged X-Forwarded-For; no TLS',
    answer: 'the socket’s address counts; a warning at the start where no balancer is named',
  },
  'S-12': {
    attack: 'handshakes that fail, again and again',
    answer: '429 before the check, others are served',
    reason: 'what others notice of ten thousand a minute is measured by npm run flood',
  },
  'S-13': { attack: 'no algorithm, another one, a key that the token brings', answer: 'refused' },
  'S-14': { attack: 'start without a secret, or with a weak one', answer: 'does not start' },
  'S-15': { attack: 'a token without end, of another issuer or audience, or of another kind', answer: 'refused' },
  'S-16': {
    attack: 'a key that was taken back; the keys’ server is down',
    answer: 'refused; the known keys stay good',
  },
  'S-17': { attack: 'stay connected when the token ends', answer: 'told, answered token_expired, closed' },
  'S-18': {
    attack: 'stay connected after a log-out, new password or ban',
    answer: 'out in 2 s, without Redis in 10 s',
  },
  'S-19': { attack: 'use a refresh token again', answer: 'the session ends, and is in the audit log' },
  'S-20': { attack: 'refresh a connection with another user’s token', answer: 'refused' },
  'S-21': {
    attack: 'every request in every role, and as a stranger',
    answer: 'what the table allows; no room is betrayed',
  },
  'S-22': { attack: 'go on listening after a removal', answer: 'nothing that was committed later arrives' },
  'S-23': { attack: 'ids, cursors, seqs and limits of others, or that are none', answer: '400 or 404' },
  'S-24': { attack: 'change what others said; fields that the server sets', answer: 'refused' },
  'S-25': { attack: 'leave an id out, or send null', answer: 'invalid_argument, never the first row' },
  'S-26': { attack: 'join by a socket’s id, a name of ours, __proto__, 10 kB', answer: 'invalid_argument' },
  'S-27': {
    attack: 'the admin REST without the right; an act without a trace',
    answer: 'refused, says nothing; all in a chained log',
    reason: 'there is no second factor: whoever is to be kept away by address is, by ADMIN_PORT and ADMIN_HOST',
  },
  'S-28': { attack: 'pages that a server may have by accident', answer: '404; the docs where DOCS=off' },
  'S-29': { attack: 'payloads that are too large, deep or wide', answer: 'closed or invalid_argument, in 1 kB' },
  'S-30': { attack: '__proto__ and constructor in every request', answer: 'nothing is polluted' },
  'S-31': { attack: 'every request with wrong types, no, or more arguments', answer: 'invalid_argument, once' },
  'S-32': { attack: 'binary packets: attachments that never come, fragments', answer: 'closed, memory flat' },
  'S-33': { attack: 'names of events that Node or Socket.IO use', answer: 'unknown_event, or closed' },
  'S-34': {
    attack: 'NUL, lone surrogates, bidi controls, a bad message in a batch',
    answer: 'refused, the others stand',
  },
  'S-35': { attack: 'SQL and LIKE characters in all that is stored or searched', answer: 'found as they are written' },
  'S-36': { attack: 'texts on which a regular expression takes for ever', answer: '50 kB in 10 ms' },
  'S-37': { attack: 'markup in names, rooms and texts', answer: 'shown as text; nothing runs' },
  'S-38': {
    attack: 'lines, colours and secrets in what is logged; headers that are too large',
    answer: 'one line of JSON an event; no token, text, password or cookie; 431',
  },
  'S-39': { attack: 'make the database fail', answer: 'a code, without its text' },
  'S-40': {
    attack: 'ask too often',
    answer: 'rate_limited with retryAfterMs, then cut',
    reason:
      'tried at lowered rates; those shipped are wide (2,000 requests a second of a user, 20,000 sends of a room), see ADR 19',
  },
  'S-41': { attack: 'ask too often of three instances', answer: 'at most 1.5 × the limit' },
  'S-42': { attack: 'guess a password', answer: 'longer and longer waits; its owner gets in' },
  'S-43': {
    attack: 'tell unknown handles from wrong passwords',
    answer: 'same words, same work',
    reason: 'the work of the server is compared, in twenty tries, not the time: on a busy machine that says nothing',
  },
  'S-44': {
    attack: 'more log-ins at once than can be served',
    answer: 'one hashed at a time, fifty wait, others are told when',
    reason: 'what a thousand log-ins cost those who chat is measured by npm run flood; it is more than twice their p99',
  },
  'S-45': { attack: 'read the stored passwords', answer: 'argon2id, 19 MiB, two passes; common ones refused' },
  'S-46': { attack: 'rooms, joins, pins and reactions without end', answer: 'bounded' },
  'S-47': { attack: 'read all of the history', answer: 'rate_limited; pages by seq' },
  'S-48': { attack: 'upload files', answer: 'there is no way to', reason: 'files are not stored; a test tries' },
  'S-49': {
    attack: 'have the server fetch an inner address',
    answer: 'no redirect is followed',
    reason: 'no URL that a client sends is fetched: there are no previews, and the hook and the keys are settings',
  },
  'S-50': {
    attack: 'forge or replay what the hook is sent',
    answer: 'signed, with the time',
    reason: 'nothing takes webhooks in',
  },
  'S-51': { attack: 'reach Postgres and Redis from outside, or as somebody else', answer: 'closed, least rights, TLS' },
  'S-52': {
    attack: 'publish forged frames in Redis',
    answer: 'with BUS_HMAC_KEY dropped and counted; never stored, nothing dies',
  },
  'S-53': { attack: 'look for secrets in Redis and in Postgres’ log', answer: 'none' },
  'S-54': { attack: 'be forgotten', answer: '', absent: true, reason: 'users are not erased by Parley yet' },
  'S-55': { attack: 'sync from below what was deleted', answer: '', absent: true, reason: 'nothing deletes old rows' },
  'S-56': { attack: 'headers that let other sites in', answer: 'CSP, nosniff, no frames, CORS by the same list' },
  'S-57': { attack: 'the supply chain', answer: 'one lock file, one socket.io, no scripts needed, no high' },
  'S-58': { attack: 'guess ids', answer: 'UUIDv7; numbers only within a room' },
  'S-59': { attack: 'send under the clientMsgId of another', answer: 'another message; told nothing of the first' },
  'S-60': { attack: 'an exception that nobody catches', answer: 'one line, stopped in order, exit code 1' },
};
