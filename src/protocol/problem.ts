import * as z from 'zod';

/** What a runner does when it gets this answer. `signedOnly` actions are taken only when the answer's signature verified. */
export type RunnerAction =
  | 'retry' // wait (Retry-After, else backoff) and send it again
  | 'retry-once' // send it again at once, newly signed; a second one is an error
  | 'correct-clock' // take the offset from `serverTime` of the signed answer, send it again
  | 'drop-lease' // stop acting on the run, throw away what is left of it
  | 'stop-credentials' // end with exit code 77
  | 'stop-upgrade' // end with exit code 78 and say which version is needed
  | 'give-up'; // an error for the caller: repeating it cannot help

interface ProblemKind {
  readonly status: number;
  readonly title: string;
  readonly runner: RunnerAction;
}

/**
 * Every error either side can answer with: code -> status, meaning, what the runner does.
 * An answer is `application/problem+json`; it is signed whenever the request's own signature verified.
 */
export const problems = {
  malformed_request: { status: 400, title: 'The request is not what this route takes', runner: 'give-up' },
  signature_missing: { status: 401, title: 'The request is not signed', runner: 'retry' },
  signature_malformed: {
    status: 401,
    title: 'The signature is not of the profile qualinet-v1',
    runner: 'retry',
  },
  signature_invalid: { status: 401, title: 'The signature does not fit the request', runner: 'retry' },
  digest_mismatch: { status: 401, title: 'The body is not the one that was signed', runner: 'retry' },
  /** Bridges before 1.3 say it; newer ones say `signature_invalid`, so that nobody learns which runners there are. */
  unknown_key: { status: 401, title: 'No runner has this key', runner: 'retry' },
  clock_skew: { status: 401, title: 'The clocks are too far apart', runner: 'correct-clock' },
  signature_expired: { status: 401, title: 'The signature is too old', runner: 'correct-clock' },
  replayed: { status: 401, title: 'This signature was used before', runner: 'retry-once' },
  credential_expired: { status: 401, title: 'This key is over', runner: 'stop-credentials' },
  credential_revoked: { status: 401, title: 'This runner was revoked', runner: 'stop-credentials' },
  token_refused: { status: 401, title: 'The operator token is missing or wrong', runner: 'give-up' },
  not_allowed: { status: 403, title: 'Not allowed', runner: 'give-up' },
  pairing_code_refused: {
    status: 403,
    title: 'The pairing code is wrong, used or expired',
    runner: 'give-up',
  },
  pairing_denied: { status: 403, title: 'The operator denied this runner', runner: 'give-up' },
  not_found: { status: 404, title: 'There is no such thing here', runner: 'give-up' },
  method_not_allowed: { status: 405, title: 'This route does not take this method', runner: 'give-up' },
  lease_lost: { status: 409, title: 'The lease belongs to somebody else or is over', runner: 'drop-lease' },
  run_not_queued: { status: 409, title: 'The run has started or ended already', runner: 'give-up' },
  pairing_expired: { status: 410, title: 'The pairing was not approved in time', runner: 'give-up' },
  body_too_large: { status: 413, title: 'The body is larger than this route takes', runner: 'give-up' },
  unsupported_media_type: { status: 415, title: 'The body must be application/json', runner: 'give-up' },
  flow_invalid: { status: 422, title: 'The flow cannot be run', runner: 'give-up' },
  artifact_refused: { status: 422, title: 'This picture is not taken', runner: 'give-up' },
  upgrade_required: { status: 426, title: 'This version is no longer served', runner: 'stop-upgrade' },
  too_many_attempts: { status: 429, title: 'Too many attempts', runner: 'retry' },
  internal: { status: 500, title: 'The bridge failed', runner: 'retry' },
  unavailable: { status: 503, title: 'The bridge cannot serve this now', runner: 'retry' },
} as const satisfies Record<string, ProblemKind>;

export type ProblemCode = keyof typeof problems;

const problemCodes = Object.keys(problems) as [ProblemCode, ...ProblemCode[]];

/** Body of an error answer (RFC 9457). */
export const problemSchema = z.object({
  /** `about:blank`-like identifier: `urn:qualinet:problem:<code>`. */
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  code: z.enum(problemCodes),
  detail: z.string().optional(),
  /** Single faults: where in the request, and what is wrong there. */
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  /** Wall clock of the bridge, on `clock_skew` and `signature_expired` (ISO 8601). */
  serverTime: z.string().optional(),
  /** On `upgrade_required`: the first release of a runner that is served, */
  minVersion: z.string().optional(),
  /** since when (ISO 8601), */
  since: z.string().optional(),
  /** and the version of the protocol that the bridge speaks, where that is what differs. */
  protocol: z.number().optional(),
});
export type Problem = z.infer<typeof problemSchema>;

export interface ProblemDetails {
  detail?: string;
  errors?: readonly { path: string; message: string }[];
  serverTime?: string;
  minVersion?: string;
  since?: string;
  protocol?: number;
}

/** The body for one code. */
export function problemBody(code: ProblemCode, { errors, ...more }: ProblemDetails = {}): Problem {
  const { status, title } = problems[code];
  return {
    type: `urn:qualinet:problem:${code}`,
    title,
    status,
    code,
    ...more,
    ...(errors === undefined ? {} : { errors: [...errors] }),
  };
}

/** A zod error as the `errors` of a problem: `{ path: 'nodes[2].id', message }`. */
export function zodFaults(error: z.ZodError): { path: string; message: string }[] {
  return error.issues.map(({ path, message }) => ({ path: fieldPath(path), message }));
}

/** A path of keys as people write it: `nodes[2].data.url`; `(body)` for the whole. */
export function fieldPath(path: readonly PropertyKey[]): string {
  const joined = path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '');
  return joined === '' ? '(body)' : joined;
}
