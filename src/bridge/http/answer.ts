import { type Problem, problemBody, problems } from '../../protocol/problem.ts';
import { type RequestMessage, type SigningKey, signResponse } from '../../protocol/signing.ts';
import type { ProblemError } from '../problem-error.ts';

/** An answer ready to be written. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: Uint8Array;
}

const always = {
  'cache-control': 'no-store, no-transform',
  'x-content-type-options': 'nosniff',
};

/** 200 with a JSON body. */
export function jsonAnswer(value: unknown): Answer {
  return {
    status: 200,
    headers: { ...always, 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify(value)),
  };
}

/** 200 with a file or text. Whatever it is, a browser must not run it. */
export function contentAnswer(content: {
  contentType: string;
  bytes: Uint8Array;
  cacheControl?: string;
}): Answer {
  return {
    status: 200,
    headers: {
      ...always,
      'content-type': content.contentType,
      'content-security-policy': "default-src 'none'; sandbox",
      ...(content.cacheControl === undefined ? {} : { 'cache-control': content.cacheControl }),
    },
    body: content.bytes,
  };
}

/** The problem an error stands for, as problem+json. */
export function problemAnswer(error: ProblemError): Answer {
  const body: Problem = problemBody(error.code, error.details);
  const retryAfterS = error.retryAfterMs === null ? null : Math.max(1, Math.ceil(error.retryAfterMs / 1_000));
  return {
    status: problems[error.code].status,
    headers: {
      ...always,
      'content-type': 'application/problem+json',
      ...(retryAfterS === null ? {} : { 'retry-after': String(retryAfterS) }),
      ...(body.status === 401
        ? {
            'www-authenticate':
              error.code === 'token_refused' ? 'Bearer' : `QualinetHMAC error="${error.code}"`,
          }
        : {}),
      // What is left of a body that was too large is not worth reading; the next request needs a new connection.
      ...(error.code === 'body_too_large' ? { connection: 'close' } : {}),
    },
    body: Buffer.from(JSON.stringify(body)),
  };
}

/** The answer signed as the answer to exactly this request. */
export function signedAnswer(
  answer: Answer,
  request: RequestMessage,
  key: SigningKey,
  nowMs: number,
): Answer {
  return { ...answer, headers: { ...answer.headers, ...signResponse(answer, request, key, nowMs) } };
}
