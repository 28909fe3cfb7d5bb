import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { getHeapStatistics } from 'node:v8';
import { ExpectedError, errorText } from '../../lib/errors.ts';
import { printable } from '../../lib/printable.ts';
import { ownIdentity } from '../../lib/process-alive.ts';
import type { AgentEvent } from '../agent-event.ts';
import type { FlightDeps } from './flight-deps.ts';
import type { FlightSnapshot, LastEnd, LifeEnd } from './flight-snapshot.ts';
import { flightRecordPath, machineNow, namespaceOf, readSnapshot } from './last-end.ts';
import { readMachine, readUpMs } from './machine-reading.ts';
import { type ClockReading, standstillBetween } from './standstill.ts';
import { whyEnded } from './why-ended.ts';

/** How a life ends: in order with a reason and exit code, or by what was thrown. */
export type EndOfLife = { reason: string; exitCode: number } | { error: unknown };

/** What a runner keeps about itself on disk, so that the next one can say why it ended. */
export interface FlightRecord {
  /** How the life before this one ended; null when there was none, or nothing is known of it. */
  readonly lastEnd: LastEnd | null;
  /** Why this run of an earlier life was interrupted. */
  whyInterrupted(runId: string): string;
  onEvent(event: AgentEvent): void;
  /** The bridge has answered a request. */
  onAnswer(): void;
  /** Writes how this life ended. Never throws; safe to call twice, the first one counts. */
  close(end: EndOfLife): Promise<void>;
}

/** How often the clocks are looked at, and after how many looks the file is written; after each while the heap fills. */
const lookEveryMs = 1_000;
const looksPerWrite = 5;
const fillingHeap = 0.7;
/** Runs that were interrupted and could not be handed back yet: more than any runner can have open. */
const keptInterrupted = 200;
const unknownWhy = 'the runner ended during this run';

/**
 * Reads how the last life of this home ended and begins the record of this one, `<home>/flight-record.json`. The caller
 * holds the home's lock. A file that is missing or damaged says nothing; one that cannot be written is told once.
 */
export async function openFlightRecord(
  home: string,
  version: string,
  deps: FlightDeps,
): Promise<FlightRecord> {
  const { clock, log } = deps;
  const path = flightRecordPath(home);
  const iso = (): string => new Date(clock.nowMs()).toISOString();
  const last = await readSnapshot(home);
  const lastEnd =
    last === null
      ? null
      : whyEnded(last, await machineNow({ readText: deps.readText, nowMs: () => clock.nowMs() }));
  const interrupted = new Map(Object.entries(last?.interrupted ?? {}));
  for (const { runId } of last?.runs ?? []) interrupted.set(runId, lastEnd?.text ?? unknownWhy);

  const runs = new Map<string, string>();
  let longest: FlightSnapshot['longestStandstill'] = null;
  let latest: FlightSnapshot['lastStandstill'] = null;
  let answeredAt: string | null = null;
  let isBroken = false;
  let isEnded = false;
  let writing: Promise<void> | null = null;
  let isDirty = false;
  /** Written with the next look: at its first and last moments a run needs the processors for itself. */
  let hasNews = false;
  const { pid, space, startedAt: processStart } = await ownIdentity();
  const startedAt = iso();
  let machine = await readMachine(deps.readText);
  let looked = await look();

  const closing = new AbortController();
  await write();
  const watching = watch();
  const stopWatching = [
    deps.onCrash((error) => writeEnd({ how: 'crashed', text: plainText(error), exitCode: null, at: iso() })),
    deps.onExit((code) =>
      writeEnd({ how: 'exited', text: 'it did not finish what it had begun', exitCode: code, at: iso() }),
    ),
  ];

  return {
    lastEnd,
    whyInterrupted: (runId) => interrupted.get(runId) ?? lastEnd?.text ?? unknownWhy,
    onEvent(event) {
      if (event.type === 'run_started') runs.set(event.runId, iso());
      else if (event.type === 'run_ended') {
        runs.delete(event.runId);
      } else if (event.type === 'debt_ended' && event.end.kind !== 'kept') interrupted.delete(event.runId);
      else return;
      hasNews = true;
    },
    onAnswer() {
      answeredAt = iso();
    },
    async close(end) {
      for (const stop of stopWatching) stop();
      closing.abort();
      await watching;
      await writing;
      writeEnd(lifeEnd(end, iso()));
    },
  };

  function snapshot(ended: LifeEnd | null): FlightSnapshot {
    const { used_heap_size: usedBytes, heap_size_limit: limitBytes } = getHeapStatistics();
    return {
      ...machine,
      version,
      pid,
      processStart,
      startedAt,
      at: iso(),
      namespace: namespaceOf(space),
      rssBytes: process.memoryUsage.rss(),
      heap: { usedBytes, limitBytes },
      runs: [...runs].map(([runId, since]) => ({ runId, startedAt: since })),
      interrupted: Object.fromEntries([...interrupted].slice(-keptInterrupted)),
      answeredAt,
      longestStandstill: longest,
      lastStandstill: latest,
      before: lastEnd,
      ended,
    };
  }

  async function watch(): Promise<void> {
    for (let looks = 1; !closing.signal.aborted; looks += 1) {
      await clock.sleep(lookEveryMs, closing.signal).catch(() => {});
      const now = await look();
      const standstill = closing.signal.aborted ? null : standstillBetween(looked, now, lookEveryMs);
      looked = now;
      if (standstill !== null) {
        latest = standstill;
        if (standstill.ms > (longest?.ms ?? 0)) longest = standstill;
      }
      if (hasNews || standstill !== null || looks % looksPerWrite === 0 || isHeapFilling()) await write();
    }
  }

  async function look(): Promise<ClockReading> {
    const bootMs = await readUpMs(deps.readText);
    return {
      bootMs,
      wallMs: clock.nowMs(),
      monotonicMs: deps.awakeMs(),
      processorMs: deps.processorMs(),
    };
  }

  /** One write at a time; what happens meanwhile is written after it. */
  function write(): Promise<void> {
    isDirty = true;
    hasNews = false;
    writing ??= (async () => {
      while (isDirty) {
        isDirty = false;
        machine = await readMachine(deps.readText);
        if (isEnded) return;
        // Not under a new name each time: a process that is killed here would leave one more file behind.
        await writeFile(`${path}.next`, serialised(snapshot(null)), { mode: 0o600 });
        await rename(`${path}.next`, path);
      }
    })()
      .catch(told)
      .finally(() => {
        writing = null;
      });
    return writing;
  }

  // Synchronous: the process may be ending, and nothing that is begun now is finished later.
  function writeEnd(end: LifeEnd): void {
    if (isEnded) return;
    isEnded = true;
    const temporary = `${path}.end`;
    try {
      writeFileSync(temporary, serialised(snapshot(end)), { mode: 0o600 });
      renameSync(temporary, path);
    } catch (error) {
      rmSync(temporary, { force: true });
      told(error);
    }
  }

  function told(error: unknown): void {
    if (!isBroken) log.warn(`cannot write ${path}: ${errorText(error)}`);
    isBroken = true;
  }
}

function isHeapFilling(): boolean {
  const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
  return used > fillingHeap * limit;
}

function lifeEnd(end: EndOfLife, at: string): LifeEnd {
  if (!('error' in end)) return { how: 'in_order', text: end.reason, exitCode: end.exitCode, at };
  const { error } = end;
  return error instanceof ExpectedError
    ? { how: 'error', text: plainText(error), exitCode: error.exitCode, at }
    : { how: 'crashed', text: plainText(error), exitCode: null, at };
}

/** An error's text for a file and for the bridge: one line, short, without the parts of addresses that may be secret. */
function plainText(error: unknown): string {
  return printable(errorText(error))
    .replace(/\/\/[^/\s@]+@/g, '//')
    .replace(/(https?:\/\/[^\s?#]+)[?#]\S*/g, '$1')
    .slice(0, 300);
}

function serialised(snapshot: FlightSnapshot): string {
  return `${JSON.stringify(snapshot, null, 2)}\n`;
}
