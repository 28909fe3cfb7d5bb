import {
  CredentialsRejectedError,
  EnvironmentError,
  LeaseLostError,
  RefusedError,
} from '../../lib/errors.ts';
import { protocolVersion } from '../../protocol/limits.ts';
import { type Problem, problemSchema, problems, type RunnerAction } from '../../protocol/problem.ts';
import { type Route, type RouteName, routes } from '../../protocol/routes.ts';
import { NoAnswerError, UpgradeRequiredError } from './bridge-errors.ts';
import { findRedisUrl } from './redis-url.ts';
import { howToUpgrade } from './version-notice.ts';

/** An answer as it came in, whole, with the verdict on its signature. */
export interface Answer {
  status: number;
  headers: { get(name: string): string | null };
  body: Uint8Array;
  /** True when it is signed with our key as the answer to our request. */
  isSigned: boolean;
}

/** What to do with an answer: a body, an error to throw, or the same request again at once, with the same or another key. */
export type Judgement =
  | { kind: 'body'; body: unknown }
  | { kind: 'error'; error: Error }
  /** The key was not taken: where there is another one, it is tried before the error counts. */
  | { kind: 'key-refused'; error: Error }
  | { kind: 'again'; serverTime: string | null; error: NoAnswerError };

/**
 * Judges an answer to `name`. On signed routes only a signed answer counts: everything else is a fault of the network
 * (captive portals answer 200, proxies answer 401) and never a reason to drop credentials or a lease. `nowMs` is the time of the bridge.
 */
export function judgeAnswer(name: RouteName, answer: Answer, nowMs: number): Judgement {
  const route: Route = routes[name];
  const mustBeSigned = route.auth === 'runner' || route.auth === 'enrol' || route.auth === 'managed';
  const isBelieved = answer.isSigned || !mustBeSigned;
  if (answer.status >= 200 && answer.status < 300) {
    return isBelieved
      ? readBody(name, route, answer)
      : noAnswer(
          `the answer (${answer.status}) to ${name} is not signed by the bridge`,
          'Is there a captive portal or a proxy in between that answers for it?',
        );
  }
  const retryAfterMs = readRetryAfter(answer.headers.get('retry-after'), nowMs);
  const problem = readProblem(answer);
  if (problem === null) return { kind: 'error', error: strangeAnswer(name, answer, retryAfterMs) };
  if (!isBelieved) {
    // It cannot be signed, so anybody can say it, and a bridge that is set up wrongly says it too: it never ends a runner.
    const isAboutKey = problem.code === 'unknown_key' || problem.code === 'signature_invalid';
    const advice = isAboutKey && route.auth === 'runner' ? `; ${askOperators}` : '';
    const error = new NoAnswerError(`${textOf(problem)}, in an answer that is not signed${advice}`, {
      problem: problem.code,
      retryAfterMs,
    });
    return { kind: isAboutKey ? 'key-refused' : 'error', error };
  }
  return judgeProblem(problem, retryAfterMs);
}

const askOperators =
  'if this lasts, ask the operators of the bridge whether they removed this runner or changed WORKER_SECRET, and pair again: qualinet pair --force';

/** True for an error that says: not with this key. */
export function isKeyRefusal(error: unknown): boolean {
  if (error instanceof CredentialsRejectedError) return true;
  return (
    error instanceof NoAnswerError &&
    (error.problem === 'unknown_key' || error.problem === 'signature_invalid')
  );
}

function judgeProblem(problem: Problem, retryAfterMs: number | null): Judgement {
  const text = textOf(problem);
  const action: RunnerAction = problems[problem.code].runner;
  const again = new NoAnswerError(text, { problem: problem.code, retryAfterMs });
  switch (action) {
    case 'retry':
      return { kind: 'error', error: again };
    case 'retry-once':
    case 'correct-clock':
      return { kind: 'again', serverTime: problem.serverTime ?? null, error: again };
    case 'drop-lease':
      return { kind: 'error', error: new LeaseLostError(text) };
    case 'stop-credentials':
      return {
        // A key may be over because a newer one of this runner is in use; a runner that was revoked has no other.
        kind: problem.code === 'credential_expired' ? 'key-refused' : 'error',
        error: new CredentialsRejectedError(`the bridge refuses these credentials: ${text}`, {
          hint: 'Pair again: qualinet pair --force',
        }),
      };
    case 'stop-upgrade':
      return {
        kind: 'error',
        error: upgradeRequired(problem, text),
      };
    case 'give-up':
      return {
        kind: 'error',
        error: new RefusedError(problem.code, text, {
          problems: (problem.errors ?? [])
            .slice(0, 20)
            .map(({ path, message }) => short(`${path}: ${message}`)),
        }),
      };
  }
}

function upgradeRequired({ protocol, minVersion, since }: Problem, text: string): UpgradeRequiredError {
  if (protocol !== undefined && protocol < protocolVersion) {
    return new UpgradeRequiredError(`the bridge is older than this runner: ${text}`, {
      hint: 'Its operators must update it; until then install a runner of the version of the bridge.',
    });
  }
  const needed = minVersion === undefined ? '' : `; version ${minVersion} or newer is needed`;
  const when = since === undefined ? '' : ` since ${since}`;
  return new UpgradeRequiredError(`the bridge no longer serves this version${needed}${when}: ${text}`, {
    hint: howToUpgrade,
  });
}

function readBody(name: RouteName, route: Route, answer: Answer): Judgement {
  if (typeof route.response === 'string') return { kind: 'body', body: undefined };
  const json = parseJson(answer.body);
  if (json === undefined) {
    return noAnswer(
      `the answer (${answer.status}) to ${name} is no JSON`,
      'Is that the address of a bridge, and nothing in between that answers for it?',
    );
  }
  const redisAt = carriesCredentials.has(name) ? findRedisUrl(json) : null;
  if (redisAt !== null) {
    const error = new EnvironmentError(`the answer to ${name} holds a Redis address (${redisAt})`, {
      hint: 'A runner must never be given one. Nothing was kept; tell the operators of the bridge.',
    });
    return { kind: 'error', error };
  }
  const parsed = route.response.safeParse(json);
  if (parsed.success) return { kind: 'body', body: parsed.data };
  const [issue] = parsed.error.issues;
  return noAnswer(
    `the answer to ${name} is not what the bridge should send: ${issue?.path.join('.')}: ${issue?.message}`,
    'Is that the address of a bridge of this version?',
  );
}

/** Answers that are looked through for a Redis address. Leases are not: a flow may talk about anything. */
const carriesCredentials: ReadonlySet<RouteName> = new Set([
  'redeemCode',
  'redeemManagedCode',
  'claimCredentials',
  'enrol',
  'rotateCredentials',
  'runnerSelf',
]);

function strangeAnswer(name: RouteName, { status, headers }: Answer, retryAfterMs: number | null): Error {
  if (status >= 300 && status < 400) {
    const to = short(headers.get('location') ?? 'nowhere');
    return new NoAnswerError(`${name} was redirected to ${to}; redirects are not followed`, {
      hint: 'Use the address of the bridge itself.',
      retryAfterMs,
    });
  }
  const type = short(headers.get('content-type') ?? 'nothing');
  return new NoAnswerError(
    `${name} was answered ${status} with ${type}, which is not from a bridge of this version`,
    {
      hint: 'Check the address, and the proxies in between.',
      retryAfterMs,
    },
  );
}

function noAnswer(message: string, hint: string): Judgement {
  return { kind: 'error', error: new NoAnswerError(message, { hint }) };
}

function readProblem({ headers, body }: Answer): Problem | null {
  if (!(headers.get('content-type') ?? '').startsWith('application/problem+json')) return null;
  return problemSchema.safeParse(parseJson(body)).data ?? null;
}

/** Anybody may have written it: it goes to the log at each try, and must not fill it. */
function textOf({ title, code, detail }: Problem): string {
  return `${short(title)}${detail === undefined ? '' : `: ${short(detail)}`} (${code})`;
}

function short(text: string): string {
  return text.length <= longestText ? text : `${text.slice(0, longestText)}…`;
}

const longestText = 500;

/** Undefined for what is no JSON. */
function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}

/** Retry-After in both of its forms as ms from now, which must be the time of who wrote it; null for none. */
function readRetryAfter(header: string | null, nowMs: number): number | null {
  if (header === null) return null;
  if (/^\d+$/.test(header)) return Number(header) * 1_000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? null : Math.max(0, at - nowMs);
}
