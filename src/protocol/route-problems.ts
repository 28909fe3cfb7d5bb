import type { ProblemCode } from './problem.ts';
import { type Route, type RouteAuth, type RouteName, routes } from './routes.ts';

/** Every problem a route can answer with, its own first. */
export function problemsOf(name: RouteName): ProblemCode[] {
  const route: Route = routes[name];
  const all = new Set([...(route.problems ?? []), ...problemsOfAuth[route.auth], ...problemsOfAll]);
  if (route.isOpenToRevoked === true) all.delete('credential_revoked');
  return [...all];
}

const signatureProblems: readonly ProblemCode[] = [
  'signature_missing',
  'signature_malformed',
  'signature_invalid',
  'digest_mismatch',
  'clock_skew',
  'signature_expired',
  'replayed',
];

const problemsOfAuth: Record<RouteAuth, readonly ProblemCode[]> = {
  none: [],
  runner: [...signatureProblems, 'credential_expired', 'credential_revoked'],
  enrol: signatureProblems,
  managed: signatureProblems,
  operator: ['token_refused'],
  'operator-or-near': ['token_refused'],
  presigned: [],
};

const problemsOfAll: readonly ProblemCode[] = [
  'malformed_request',
  'body_too_large',
  'internal',
  'unavailable',
];
