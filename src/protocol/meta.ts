import { limits } from './limits.js';

/** Whether this can be kept and given back as JSON: within bounds, and of nothing but well-formed text, numbers, lists and objects. */
export function isMeta(value: Record<string, unknown>): boolean {
  return (
    isJson(value, limits.metaDepth) && new TextEncoder().encode(JSON.stringify(value)).length <= limits.roomMetaBytes
  );
}

function isJson(value: unknown, levels: number): boolean {
  if (value === null || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value === 'string') return isText(value);
  if (typeof value !== 'object' || levels === 0) return false;
  if (Array.isArray(value)) return value.every((item) => isJson(item, levels - 1));
  if (Object.getPrototypeOf(value) !== Object.prototype) return false;
  return Object.entries(value).every(([key, item]) => isText(key) && isJson(item, levels - 1));
}

/** Postgres takes neither NUL nor half a surrogate pair. */
function isText(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}
