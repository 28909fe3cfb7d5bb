import { z } from 'zod';
import { zodFaults } from '../../protocol/problem.ts';
import type { Route } from '../../protocol/routes.ts';
import { ProblemError } from '../problem-error.ts';

/** Deepest nesting of a body: flows and results are far below, and a database parses JSON recursively. */
const maxDepth = 100;

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
  if (nestingOf(body) > maxDepth) throw malformed(`the body is nested deeper than ${maxDepth} levels`);
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw malformed('the body is no valid JSON');
  }
  return hasOddEscape.test(text) ? storable(value) : value;
}

function malformed(detail: string): ProblemError {
  return new ProblemError('malformed_request', { detail });
}

/** Deepest nesting of brackets outside of strings. */
function nestingOf(body: Uint8Array): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let i = 0; i < body.length; i += 1) {
    const byte = body[i];
    if (inString) {
      if (byte === 0x5c) i += 1;
      else if (byte === 0x22) inString = false;
    } else if (byte === 0x22) inString = true;
    else if (byte === 0x7b || byte === 0x5b) {
      depth += 1;
      if (depth > deepest) deepest = depth;
    } else if (byte === 0x7d || byte === 0x5d) depth -= 1;
  }
  return deepest;
}

const hasOddEscape = /\\u(?:0000|d[89a-f])/i;
// Lone halves of a surrogate pair; with the u flag whole pairs do not match.
const halfPair = /\p{Surrogate}/gu;

// PostgreSQL's text and jsonb hold neither NUL nor half a surrogate pair. A page may contain both, and a result must not be
// lost over one character.
function storable(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(halfPair, '\u{fffd}').replaceAll('\0', '\u{fffd}');
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(storable);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [storable(key), storable(item)]));
}
