import { byteText } from '../../lib/bytes.ts';
import { duration } from '../../lib/duration.ts';
import type { FlightSnapshot, LastEnd, Standstill } from './flight-snapshot.ts';

/** What the next life sees of the machine when it begins. */
export type MachineNow = Pick<
  FlightSnapshot,
  'at' | 'host' | 'bootId' | 'namespace' | 'upMs' | 'systemOomKills'
> & { group: FlightSnapshot['group'] };

/** A heap this full a few seconds before the end is why V8 gave up. */
const fullHeap = 0.8;
/** A standstill is told when the life ended this soon after it. */
const worthTellingMs = 2 * 60_000;
const longStandstillMs = 10_000;

/** Why a life ended, from its last snapshot and the machine as the next life finds it: what is known, and no more. */
export function whyEnded(last: FlightSnapshot, now: MachineNow): LastEnd {
  if (last.ended !== null) return ownWord(last.ended);
  const { kind, text } = judged(last, now);
  return { kind, text: `${text}${standstillText(last)}`, at: last.at };
}

function ownWord({ how, text, exitCode, at }: NonNullable<FlightSnapshot['ended']>): LastEnd {
  const code = exitCode === null ? '' : ` (exit code ${exitCode})`;
  switch (how) {
    case 'in_order':
      return { kind: how, text: `the runner ended in order: ${text}${code}`, at };
    case 'exited':
      return { kind: how, text: `the runner was ended at once: ${text}${code}`, at };
    case 'error':
      return { kind: how, text: `the runner ended with an error: ${text}${code}`, at };
    case 'crashed':
      return { kind: how, text: `the runner crashed: ${text}`, at };
  }
}

function judged(last: FlightSnapshot, now: MachineNow): Pick<LastEnd, 'kind' | 'text'> {
  const alive = `last alive at ${clockTime(last.at)}`;
  const isOtherBoot =
    last.bootId !== null && now.bootId !== null ? last.bootId !== now.bootId : now.upMs < last.upMs;
  if (isOtherBoot && last.host !== now.host) {
    return { kind: 'moved', text: `the runner was on another machine (${last.host}) then, ${alive}` };
  }
  if (isOtherBoot) {
    const bootedAt = new Date(Date.parse(now.at) - now.upMs).toISOString();
    return {
      kind: 'restarted',
      text: `the machine was restarted at about ${clockTime(bootedAt)}, ${alive}`,
    };
  }
  const outOfMemory = memoryText(last, now);
  if (outOfMemory !== null) return { kind: 'out_of_memory', text: `${outOfMemory}, ${alive}` };
  const { usedBytes, limitBytes } = last.heap;
  if (limitBytes > 0 && usedBytes >= fullHeap * limitBytes) {
    return {
      kind: 'out_of_heap',
      text: `the process ended without a word when its JavaScript heap was nearly full (${byteText(usedBytes)} of ${byteText(limitBytes)}), ${alive}`,
    };
  }
  if (last.namespace !== 'unknown' && now.namespace !== 'unknown' && last.namespace !== now.namespace) {
    return { kind: 'moved', text: `the container of the runner was ended, ${alive}` };
  }
  return {
    kind: 'killed',
    text: `the process was killed (from outside, or by a crash that left no message), ${alive}`,
  };
}

/** Null when no counter of processes ended for want of memory has risen since. */
function memoryText(last: FlightSnapshot, now: MachineNow): string | null {
  const used = `this runner last used ${byteText(last.rssBytes)}`;
  if (hasRisen(last.group?.oomKills, now.group?.oomKills)) {
    const limit = last.group?.limitBytes;
    const of = typeof limit === 'number' ? ` of ${byteText(limit)}` : '';
    return `the container or service ran out of memory and the system ended processes of it (it last used ${byteText(last.group?.usedBytes ?? 0)}${of}; ${used})`;
  }
  if (!hasRisen(last.systemOomKills, now.systemOomKills)) return null;
  return `the system ran out of memory and ended processes (oom_kill rose from ${last.systemOomKills} to ${now.systemOomKills}; ${used})`;
}

function hasRisen(before: number | null | undefined, after: number | null | undefined): boolean {
  return typeof before === 'number' && typeof after === 'number' && after > before;
}

const standstillWords: Record<Standstill['kind'], string> = {
  asleep: 'the machine slept',
  asleep_or_clock: 'the machine slept or its clock was set',
  stopped: 'the process was stopped or got no processor',
  blocked: 'the process was busy with one thing',
};

function standstillText({ at, lastStandstill: last }: FlightSnapshot): string {
  if (last === null || last.ms < longStandstillMs) return '';
  if (Date.parse(at) - Date.parse(last.endedAt) > worthTellingMs) return '';
  return `; before that it stood still for ${duration(last.ms)} until ${clockTime(last.endedAt)} (${standstillWords[last.kind]})`;
}

/** `2026-11-24T12:01:55.123Z` -> `2026-11-24 12:01:55Z`. */
function clockTime(iso: string): string {
  return iso.replace('T', ' ').replace(/\.\d+Z$/, 'Z');
}
