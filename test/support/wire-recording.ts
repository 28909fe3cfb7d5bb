import { join } from 'node:path';

// What a released runner put on the wire. Ids, codes, keys and fences of a recording are written `{{name}}`; who replays it fills
// them in. Paths and headers are literal: a table of routes that changes must not change what an old runner sends.

/** One request a runner sent and had answered. */
export interface RecordedRequest {
  /** Name of the route at that version: the key of its answer's schema. */
  route: string;
  auth: string;
  method: string;
  path: string;
  /** All that matter, with `signature-input` as the form of its signature. */
  headers: Record<string, string>;
  body?: unknown;
  /** Status it was answered with. */
  status: number;
  /** Form of the `signature-input` of the answer. */
  answerSignature?: string;
}

/** What operators did before the next request. */
export type OperatorStep =
  | { operator: 'code'; managed: boolean }
  | { operator: 'approve' }
  | { operator: 'submit'; flow: { nodes: unknown[]; edges: unknown[] } }
  /** Ends the run that was submitted last. */
  | { operator: 'cancel' };

/** What a runner of that version parses the answer to a route with (`problem`: every refusal), as JSON Schema. */
export interface RecordedAnswer {
  route: string;
  schema: Record<string, unknown>;
}

/** Folder of the recordings, one for each release: `exchanges.jsonl` in order, and `answers.jsonl`. */
export const releasedFolder = join(import.meta.dirname, '../protocol/released');

/** Headers in which runners may differ by version; the rest belongs to the HTTP client. */
export const recordedHeaders = ['user-agent', 'accept', 'accept-encoding', 'content-type', 'signature-input'];
