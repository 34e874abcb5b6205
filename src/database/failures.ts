import { types } from 'node:util';

/** SQLSTATEs after which the same statement may succeed: serialization, deadlock, lock timeout, connection, shutdown, full, read-only. */
const TRANSIENT_STATES = new Set([
  '40001',
  '40P01',
  '55P03',
  '57014',
  '57P01',
  '57P02',
  '57P03',
  '53000',
  '53100',
  '53200',
  '53300',
  '25006',
]);

const TRANSIENT_CODES = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

const TRANSIENT_MESSAGES =
  /^(Connection terminated|Client was closed|Client has encountered a connection error|Query read timeout|timeout exceeded when trying to connect|Cannot use a pool after calling end)/;

/** Of TLS: whoever answered is not the one that was asked for, or cannot show it. */
const UNTRUSTED_CODES = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);
const NO_TLS = 'The server does not support SSL connections';

/** TypeORM throws these in place of the cause when a connection dies under it. */
const TRANSIENT_NAMES = new Set(['QueryRunnerProviderAlreadyReleasedError', 'QueryRunnerAlreadyReleasedError']);

/**
 * Whether Postgres could not be asked, or did not say how it ended: the outcome of a write is then unknown.
 * Decided by a list, because drivers report a dead connection in many shapes.
 */
export function isTransient(error: unknown): boolean {
  // Node's own errors may be of another realm than ours, as they are in tests.
  if (!types.isNativeError(error)) return false;
  const { code, driverError } = error as Error & { code?: string; driverError?: unknown };
  if (driverError !== undefined && driverError !== error && isTransient(driverError)) return true;
  if (TRANSIENT_NAMES.has(error.name) || isUntrusted(error)) return true;
  if (code !== undefined && (TRANSIENT_STATES.has(code) || TRANSIENT_CODES.has(code) || code.startsWith('08')))
    return true;
  return TRANSIENT_MESSAGES.test(error.message);
}

/** Whether TLS was asked for, and who answered is not trusted. Nothing was told him: neither a password nor a query. */
export function isUntrusted(error: unknown): boolean {
  const { code, message } = error as { code?: string; message?: string };
  return (code !== undefined && UNTRUSTED_CODES.has(code)) || message === NO_TLS;
}

/** The name of the constraint that a write ran into, or undefined. */
export function violatedConstraint(error: unknown): string | undefined {
  const source = (error as { driverError?: unknown } | null)?.driverError ?? error;
  const { code, constraint } = source as { code?: string; constraint?: string };
  return code?.startsWith('23') === true ? constraint : undefined;
}
