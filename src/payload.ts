import { limits } from './protocol/index.js';

/**
 * Whether a decoded packet stays within the bounds of depth and size. Socket.IO walks payloads recursively: some ten
 * kilobytes of nested arrays overflow the stack where no handler can catch it, so this runs first, and without recursion.
 */
export function isWithinBounds(payload: unknown): boolean {
  let level: unknown[] = [payload];
  let nodes = 0;
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > limits.payloadDepth) return false;
    const next: unknown[] = [];
    for (const value of level) {
      if (typeof value !== 'object' || value === null) continue;
      if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return false;
      for (const key in value) {
        if ((nodes += 1) > limits.payloadNodes) return false;
        next.push((value as Record<string, unknown>)[key]);
      }
    }
    level = next;
  }
  return true;
}
