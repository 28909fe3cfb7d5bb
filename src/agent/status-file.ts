import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { Clock } from '../lib/clock.ts';
import { errorText } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import { replaceFile } from '../lib/replace-file.ts';
import type { Capabilities } from '../protocol/messages.ts';
import type { AgentEvent } from './agent-event.ts';

/**
 * `starting`: no poll was answered yet. `waiting`: polls. `running`: executes at least one run. `disconnected`: the last
 * poll failed. `draining`: finishes its runs and takes no more. `ended`: the process ended in order.
 */
const agentStates = ['starting', 'waiting', 'running', 'disconnected', 'draining', 'ended'] as const;

const iso = z.string();
const statusSchema = z.object({
  pid: z.number().int(),
  version: z.string(),
  runnerId: z.string(),
  startedAt: iso,
  updatedAt: iso,
  state: z.enum(agentStates),
  /** Last answered poll that changed the state from or to being connected. */
  connectedAt: iso.nullable(),
  /** When polls began to fail; null while they are answered. */
  disconnectedAt: iso.nullable().default(null),
  /** What executes the runs; null before it was started. */
  browser: z
    .object({ kind: z.string(), version: z.string().optional(), sandbox: z.boolean().optional() })
    .nullable()
    .default(null),
  /** File of the policy in force, null for none. */
  policyPath: z.string().nullable().default(null),
  /** What flows may reach, for people; null where an older runner does not say. */
  network: z.string().nullable().default(null),
  /** Where it tells how it is, as `http://127.0.0.1:4871`; null for nowhere. */
  healthUrl: z.string().nullable().default(null),
  /** The bridge gives this runner no further runs. */
  drainOrdered: z.boolean(),
  runs: z.array(
    z.object({
      runId: z.string(),
      name: z.string().nullable(),
      startedAt: iso,
      nodeId: z.string().nullable(),
    }),
  ),
  runsEnded: z.number().int(),
  /** Runs that are over here and not delivered yet; what the runs under way owe is not counted. */
  runsOwed: z.number().int().default(0),
  lastError: z.object({ at: iso, message: z.string() }).nullable(),
});

/** What a running agent says about itself in `<home>/status.json`. */
export type AgentStatus = z.infer<typeof statusSchema>;

/** What the agent of this home last said; null when there is none or it cannot be read. */
export async function readStatusFile(home: string): Promise<AgentStatus | null> {
  const text = await readFile(join(home, 'status.json'), 'utf8').catch(() => null);
  try {
    return text === null ? null : (statusSchema.safeParse(JSON.parse(text)).data ?? null);
  } catch {
    return null;
  }
}

/** What a runner works under all its life. */
export type WorkingRules = Pick<AgentStatus, 'policyPath' | 'network' | 'healthUrl'>;

/** Writes what happens into the file; one write at a time, the newest state wins. */
export interface StatusFile {
  onEvent(event: AgentEvent): void;
  draining(): void;
  /** The browser was started. */
  engineStarted(capabilities: Pick<Capabilities, 'browser'>): void;
  /** Writes the last state; resolves when it is on disk. */
  close(): Promise<void>;
}

/** Shortest time between two writes. */
const writeEveryMs = 250;
/** Pause after a write that failed. */
const tryAgainMs = 10_000;

/** Begins `<home>/status.json`. A file that cannot be written is told once, and tried again. */
export function openStatusFile(
  home: string,
  about: { pid: number; version: string; runnerId: string } & Partial<WorkingRules>,
  { clock, log }: { clock: Clock; log: Log },
): StatusFile {
  const now = (): string => new Date(clock.nowMs()).toISOString();
  let isConnected = false;
  let isDraining = false;
  let isTold = false;
  let isDirty = false;
  let writing: Promise<void> | null = null;
  const closing = new AbortController();
  let current: AgentStatus = {
    policyPath: null,
    network: null,
    healthUrl: null,
    ...about,
    startedAt: now(),
    updatedAt: now(),
    state: 'starting',
    connectedAt: null,
    disconnectedAt: null,
    browser: null,
    drainOrdered: false,
    runs: [],
    runsEnded: 0,
    runsOwed: 0,
    lastError: null,
  };
  change({});

  return {
    onEvent(event) {
      if (event.type !== 'deed') change(changeOf(event));
    },
    draining() {
      isDraining = true;
      change({});
    },
    engineStarted: ({ browser: { kind, version, sandbox } }) =>
      change({
        browser: {
          kind,
          ...(version === undefined ? {} : { version }),
          ...(sandbox === undefined ? {} : { sandbox }),
        },
      }),
    async close() {
      closing.abort();
      change({ state: 'ended', runs: [] });
      await writing;
    },
  };

  function changeOf(event: Exclude<AgentEvent, { type: 'deed' }>): Partial<AgentStatus> {
    switch (event.type) {
      case 'connected':
        isConnected = true;
        return { connectedAt: now(), disconnectedAt: null };
      case 'disconnected':
        isConnected = false;
        return {
          lastError: { at: now(), message: event.error },
          disconnectedAt: current.disconnectedAt ?? now(),
        };
      case 'drain_ordered':
        return { drainOrdered: true };
      case 'drain_lifted':
        return { drainOrdered: false };
      case 'run_started': {
        const { runId, name } = event;
        return { runs: [...current.runs, { runId, name, startedAt: now(), nodeId: null }] };
      }
      case 'step': {
        const nodeId = event.event.type === 'step_start' ? event.event.nodeId : null;
        return { runs: current.runs.map((run) => (run.runId === event.runId ? { ...run, nodeId } : run)) };
      }
      case 'run_ended':
        return {
          runs: current.runs.filter(({ runId }) => runId !== event.runId),
          runsEnded: current.runsEnded + 1,
        };
      case 'debt_began':
        return { runsOwed: current.runsOwed + 1 };
      case 'debt_ended':
        return event.end.kind === 'kept' ? {} : { runsOwed: current.runsOwed - 1 };
    }
  }

  function change(over: Partial<AgentStatus>): void {
    current = { ...current, ...over, updatedAt: now() };
    current.state = over.state ?? stateNow();
    isDirty = true;
    writing ??= write();
  }

  function stateNow(): AgentStatus['state'] {
    if (isDraining) return 'draining';
    if (current.runs.length > 0) return 'running';
    if (isConnected) return 'waiting';
    return current.lastError === null ? 'starting' : 'disconnected';
  }

  async function write(): Promise<void> {
    while (isDirty) {
      isDirty = false;
      const isWritten = await writeNow();
      // An old state must not stand there for good because a disk was full for a while.
      if (!isWritten && !closing.signal.aborted) isDirty = true;
      // Steps come faster than anybody reads; what they change in between is written together.
      await clock.sleep(isWritten ? writeEveryMs : tryAgainMs, closing.signal).catch(() => {});
    }
    writing = null;
  }

  async function writeNow(): Promise<boolean> {
    try {
      await replaceFile(join(home, 'status.json'), `${JSON.stringify(current, null, 2)}\n`);
      isTold = false;
      return true;
    } catch (error) {
      if (!isTold) log.warn(`cannot write the status file: ${errorText(error)}`);
      isTold = true;
      return false;
    }
  }
}
