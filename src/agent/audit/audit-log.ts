import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import { errorText, systemErrorCode } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';

/** One thing that was asked for or done. What strangers chose in it is cut and made harmless when it is written. */
export type AuditEntry = { readonly event: string } & Readonly<Record<string, AuditValue>>;

type AuditValue = string | number | boolean | null | readonly string[];

/** The log of what was asked of this machine and what it did, for its owner. */
export interface AuditLog {
  /** Returns when the entry is in the file. Never throws: what cannot be written is told, and counted in the next entry that can. */
  write(entry: AuditEntry): void;
  /** Why the last entry could not be written; null when it was. */
  problem(): string | null;
}

/** Why entries could not be written to the audit log of this home, null when they could; nothing is written or made. */
export function whyNoAuditLog(home: string): { path: string; problem: string | null } {
  const path = auditPath(home);
  try {
    closeSync(openToAppend(path, { isMade: false }));
  } catch (error) {
    // The first entry makes it.
    if (systemErrorCode(error) !== 'ENOENT') return { path, problem: cannotWrite(path, error) };
  }
  return { path, problem: null };
}

/** `<home>/audit.jsonl`; older ones are `audit.jsonl.1` and so on. */
function auditPath(home: string): string {
  return join(home, 'audit.jsonl');
}

const limitBytes = 10 * 1024 ** 2;
/** The file that is written, and four that were. */
const files = 5;

/** The audit log of this home. Nothing is opened before the first entry, and nothing stays open after one. */
export function openAuditLog(
  home: string,
  deps: { clock: Pick<Clock, 'nowMs'>; log: Log; limitBytes?: number },
): AuditLog {
  const { clock, log } = deps;
  const path = auditPath(home);
  let missed = 0;
  let problem: string | null = null;

  function append(entry: AuditEntry): void {
    const at = new Date(clock.nowMs()).toISOString();
    const line = `${JSON.stringify({ at, ...harmless(entry) })}\n`;
    appendLine(path, line, deps.limitBytes ?? limitBytes, log);
  }

  return {
    write(entry) {
      try {
        if (missed > 0) append({ event: 'entries_missed', count: missed, why: problem ?? '' });
        missed = 0;
        append(entry);
        if (problem !== null) log.info('the audit log is written again');
        problem = null;
      } catch (error) {
        missed += 1;
        if (problem === null) log.error(`the audit log cannot be written: ${errorText(error)}`);
        problem = cannotWrite(path, error);
      }
    },
    problem: () => problem,
  };
}

/** Opened anew for each line: a file that was moved away or deleted is noticed, and a link that was laid there is not followed. */
function appendLine(path: string, line: string, limit: number, log: Log): void {
  const bytes = Buffer.from(line);
  let file = openToAppend(path);
  try {
    if (fstatSync(file).size + bytes.length > limit && rotate(path, log)) {
      closeSync(file);
      file = openToAppend(path);
    }
    const { size } = fstatSync(file);
    // A machine that lost its power may have left half a line.
    const whole = endsLine(file, size) ? bytes : Buffer.concat([Buffer.from('\n'), bytes]);
    try {
      if (writeSync(file, whole) < whole.length) throw new Error('the disk is full');
    } catch (error) {
      ftruncateSync(file, size);
      throw error;
    }
  } finally {
    closeSync(file);
  }
}

function cannotWrite(path: string, error: unknown): string {
  return `the audit log ${path} cannot be written: ${errorText(error)}`;
}

function openToAppend(path: string, { isMade } = { isMade: true }): number {
  const { O_RDWR, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  // Windows knows neither of the last two.
  const flags = O_RDWR | O_APPEND | (O_NOFOLLOW ?? 0) | (O_NONBLOCK ?? 0);
  const file = openSync(path, isMade ? flags | O_CREAT : flags, 0o600);
  if (fstatSync(file).isFile()) return file;
  closeSync(file);
  throw new Error(`${path} is no file`);
}

function endsLine(file: number, size: number): boolean {
  const last = Buffer.alloc(1);
  return size === 0 || (readSync(file, last, 0, 1, size - 1) === 1 && last[0] === 0x0a);
}

/** False when the files cannot be moved: the log then grows rather than ends. */
function rotate(path: string, log: Log): boolean {
  try {
    for (let older = files - 1; older > 0; older -= 1) {
      const from = older === 1 ? path : `${path}.${older - 1}`;
      try {
        renameSync(from, `${path}.${older}`);
      } catch (error) {
        if (systemErrorCode(error) !== 'ENOENT') throw error;
      }
    }
    return true;
  } catch (error) {
    log.warn(`the audit log cannot be rotated: ${errorText(error)}`);
    return false;
  }
}

/** Longest text of an entry. */
const longestText = 500;
const longestList = 100;

function harmless(entry: AuditEntry): Record<string, AuditValue> {
  return Object.fromEntries(
    Object.entries(entry).map(([key, value]) => [
      key,
      typeof value === 'string'
        ? plain(value)
        : Array.isArray(value)
          ? value.slice(0, longestList).map((text: string) => plain(text))
          : value,
    ]),
  );
}

/** Without line ends, escape sequences and characters that change the order of what is read. */
function plain(text: string): string {
  const cut = text.length > longestText ? `${text.slice(0, longestText)}…` : text;
  return cut.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ');
}
