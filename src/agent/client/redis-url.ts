/**
 * Where in a JSON value a Redis address stands (`credentials.redis_url`), or null. A runner must never hold one: not in an
 * answer, not in its file, whatever the field is called.
 */
export function findRedisUrl(value: unknown, path = ''): string | null {
  if (typeof value === 'string') return /^rediss?:\/\//i.test(value) ? path || '(value)' : null;
  if (typeof value !== 'object' || value === null) return null;
  for (const [key, item] of Object.entries(value)) {
    const at = path === '' ? key : `${path}.${key}`;
    if (/redis(url|uri)/.test(key.toLowerCase().replace(/[^a-z]/g, ''))) return at;
    const inside = findRedisUrl(item, at);
    if (inside !== null) return inside;
  }
  return null;
}
