import { type ProblemCode, type ProblemDetails, problems } from '../protocol/problem.ts';

/** A request that is answered with a problem of the table in protocol/problem.ts. Thrown anywhere below a handler. */
export class ProblemError extends Error {
  readonly code: ProblemCode;
  readonly details: ProblemDetails;
  /** When trying again makes sense, ms from now (`Retry-After`), null when the answer does not say. */
  readonly retryAfterMs: number | null;

  constructor(code: ProblemCode, details: ProblemDetails = {}, retryAfterMs: number | null = null) {
    super(details.detail ?? problems[code].title);
    this.name = 'ProblemError';
    this.code = code;
    this.details = details;
    this.retryAfterMs = retryAfterMs;
  }
}
