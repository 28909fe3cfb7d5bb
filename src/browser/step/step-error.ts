import { errorText } from '../../lib/errors.ts';
import { limits } from '../../protocol/limits.ts';
import type { StepErrorKind } from '../../protocol/run-result.ts';

/** Why a step failed: a kind for programs, a sentence for people. */
export interface StepError {
  kind: StepErrorKind;
  message: string;
}

/** Thrown inside this folder only, by an action that knows exactly why its step failed; a StepResult carries it out. */
export class StepFailure extends Error {
  readonly kind: StepErrorKind;

  constructor(kind: StepErrorKind, message: string) {
    super(message);
    this.name = 'StepFailure';
    this.kind = kind;
  }
}

/** The process of the browser ended under a run: no verdict about the tested site, unlike a page that crashed. */
export class BrowserEndedFailure extends StepFailure {
  constructor() {
    super('browser_crashed', 'the browser ended unexpectedly');
  }
}

/** The frame that was looked in is gone, and nothing was done in it: what stands in its place may be looked in. */
export class FrameGoneFailure extends StepFailure {
  constructor() {
    super('not_found', 'the frame went away');
  }
}

/**
 * What an action threw, as a step's error: one or two plain sentences without colours, call logs, browser logs or stacks.
 * Null for an error that is neither ours nor Playwright's: that is a bug and belongs thrown.
 */
export function stepErrorFrom(error: unknown): StepError | null {
  if (error instanceof StepFailure) return { kind: error.kind, message: cut(error.message) };
  if (!isPlaywrightError(error)) return null;
  return { kind: kindOf(error), message: cut(explain(plainMessage(error))) };
}

/** The first paragraph of what Playwright said, without the name of the function in front. */
export function plainMessage(error: unknown): string {
  const text = errorText(error).replaceAll(ansiColour, '');
  const end = /\n(?:Call log:|Browser logs:|=+ logs =+|\s+at )/.exec(text)?.index ?? text.length;
  return text
    .slice(0, end)
    .replace(/^[a-zA-Z]+\.[a-zA-Z$]+: /, '')
    .replace(/^Error: /, '')
    .trim();
}

/** Cuts a text to what a result may hold (limits.textLength). */
export function cut(text: string, length: number = limits.textLength): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

function isGone(error: unknown): boolean {
  return /Target crashed|Page crashed|has been closed|Browser closed|browser has disconnected/i.test(
    errorText(error),
  );
}

/** True when a look at the page met a document that was just being replaced: look again. */
export function isBetweenDocuments(error: unknown): boolean {
  return /Execution context was destroyed|Cannot find context|frame was detached|Inspected target navigated/i.test(
    errorText(error),
  );
}

/** True for Playwright's own time-out. */
export function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === 'TimeoutError';
}

function isPlaywrightError(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  return (
    ['TimeoutError', 'AbortError'].includes(error.name) || /^[a-zA-Z]+\.[a-zA-Z$]+: /.test(error.message)
  );
}

function kindOf(error: Error): StepErrorKind {
  if (isGone(error)) return 'browser_crashed';
  if (isTimeout(error)) return 'timeout';
  if (/ERR_BLOCKED_BY|ERR_UNSAFE_PORT|ERR_UNSAFE_REDIRECT/.test(error.message)) return 'blocked';
  if (/net::ERR|interrupted by another navigation|Download is starting/.test(error.message))
    return 'navigation';
  if (/Element is not|not attached|outside of the viewport|not an <?input/i.test(error.message)) {
    return 'not_actionable';
  }
  return 'internal';
}

function explain(message: string): string {
  if (/Target crashed|Page crashed/.test(message)) return 'the page crashed';
  if (/has been closed/.test(message)) return 'the browser or its page was closed';
  if (/Download is starting/.test(message)) return 'the address answered with a download and no page';
  const code = /net::(ERR_[A-Z0-9_]+)/.exec(message)?.[1];
  if (code === undefined) return message;
  const reason = netReasons.find(([start]) => code.startsWith(start))?.[1] ?? 'the network failed';
  const address = / at (\S+)/.exec(message)?.[1];
  const advice = code === 'ERR_CERT_AUTHORITY_INVALID' ? caAdvice : '';
  return `${reason}${address === undefined ? '' : `: ${address}`} (${code})${advice}`;
}

const caAdvice = '; name the certificate of its authority, or of a proxy that opens TLS, by --ca-file FILE';

/** Chromium's network errors by the start of their code, the more special ones first. */
const netReasons: readonly (readonly [string, string])[] = [
  ['ERR_NAME_NOT_RESOLVED', 'the host name was not found'],
  ['ERR_CONNECTION_REFUSED', 'nothing listens there, the connection was refused'],
  ['ERR_CONNECTION_RESET', 'the connection was cut by the other side'],
  ['ERR_CONNECTION_CLOSED', 'the connection was closed by the other side'],
  ['ERR_CONNECTION_TIMED_OUT', 'the connection timed out'],
  ['ERR_EMPTY_RESPONSE', 'the server closed the connection without an answer'],
  ['ERR_INTERNET_DISCONNECTED', 'this machine has no network'],
  ['ERR_ADDRESS_UNREACHABLE', 'the address cannot be reached from here'],
  ['ERR_CERT', 'the certificate of the server is not trusted'],
  ['ERR_SSL', 'no encrypted connection could be made'],
  ['ERR_TOO_MANY_REDIRECTS', 'the address redirects in a circle'],
  ['ERR_UNSAFE_PORT', 'Chromium does not open this port'],
  ['ERR_UNSAFE_REDIRECT', 'the site redirects to an address that is not opened'],
  ['ERR_BLOCKED', 'the request was blocked'],
  ['ERR_PROXY_AUTH', 'the proxy of this network wants another user or password'],
  ['ERR_PROXY', 'the proxy cannot be reached'],
  ['ERR_TUNNEL', 'the proxy refused the connection'],
  ['ERR_HTTP_RESPONSE_CODE_FAILURE', 'the server answered with an error and no page'],
  ['ERR_ABORTED', 'the address answered with no page (an empty answer, or loading was stopped)'],
];

// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what colours begin with
const ansiColour = /\u001b\[[0-9;]*m/g;
