import * as z from 'zod';
import { zodFaults } from '../../protocol/problem.ts';
import type { Route } from '../../protocol/routes.ts';
import { ProblemError } from '../problem-error.ts';
import { hasOddEscape, isTooDeep, maxDepth, storable } from '../storable.ts';

/** Body, query and path parameters of a request, checked by the route's schemas. Throws `malformed_request` naming fields. */
export function readInput(
  route: Route,
  parts: { body: Uint8Array | null; query: URLSearchParams; params: Readonly<Record<string, string>> },
): { body: unknown; query: unknown } {
  const faults = Object.entries(parts.params)
    .filter(([name, value]) => name !== '*' && !z.uuid().safeParse(value).success)
    .map(([name]) => ({ path: name, message: 'must be a UUID' }));
  if (faults.length > 0) throw new ProblemError('malformed_request', { errors: faults });
  return {
    query: route.query === undefined ? undefined : checked(route.query, Object.fromEntries(parts.query)),
    body: route.request === undefined ? undefined : checked(route.request, parseJson(parts.body)),
  };
}

function checked(schema: z.ZodType, value: unknown): unknown {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ProblemError('malformed_request', { errors: zodFaults(parsed.error).slice(0, 100) });
}

function parseJson(body: Uint8Array | null): unknown {
  if (body === null) throw malformed('a JSON body is needed');
  if (isTooDeep(body)) throw malformed(`the body is nested deeper than ${maxDepth} levels`);
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw malformed('the body is no valid JSON');
  }
  return hasOddEscape(text) ? storable(value) : value;
}

function malformed(detail: string): ProblemError {
  return new ProblemError('malformed_request', { detail });
}
