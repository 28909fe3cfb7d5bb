import type { IncomingHttpHeaders } from 'node:http';
import { type Route, type RouteName, routes } from '../../../src/protocol/routes.ts';

/** Name of the route a request asks for; null when the table has none. */
export function routeNameOf(method: string, path: string): RouteName | null {
  const [pathname = ''] = path.split('?');
  return patterns.find((route) => route.method === method && route.pattern.test(pathname))?.name ?? null;
}

/** The runner that signed a request; null for one that is not signed by a runner. */
export function runnerIdOf(headers: IncomingHttpHeaders): string | null {
  return /keyid="rk1\.([0-9a-f-]{36})\./.exec(String(headers['signature-input'] ?? ''))?.[1] ?? null;
}

const patterns = (Object.entries(routes) as [RouteName, Route][]).map(([name, { method, path }]) => ({
  name,
  method,
  pattern: new RegExp(`^${path.replace(/:\w+/g, '[^/]+').replace('*', '.+')}$`),
}));
