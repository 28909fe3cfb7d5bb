import { type Credentials, newestKey, readCredentials } from '../agent/credentials/credentials.ts';
import type { LastEnd } from '../agent/life/flight-snapshot.ts';
import { readLastEnd, readSnapshot } from '../agent/life/last-end.ts';
import { countOwed } from '../agent/spool/count-owed.ts';
import { type AgentStatus, readStatusFile } from '../agent/status-file.ts';
import { exitCode } from '../lib/exit-code.ts';
import { lockHolder } from '../lib/folder-lock.ts';

/** What this machine knows of its runner without asking anybody. */
export interface LocalStatus {
  home: string;
  /** Null when it is not paired; a runner that enrolled by WORKER_SECRET has none, either. */
  credentials: Credentials | null;
  /** What its runner last said, whether it is at work or not; null when there was none. */
  agent: AgentStatus | null;
  isRunning: boolean;
  /** Last request of the running runner that the bridge answered, ISO 8601; known to 5 s. */
  answeredAt: string | null;
  lastEnd: LastEnd | null;
  /** Runs that are over here and not delivered yet. */
  runsOwed: number;
}

/** Reads it all from the home. Throws EnvironmentError for a credentials file that is refused. */
export async function readLocalStatus(home: string): Promise<LocalStatus> {
  const [credentials, agent, holder, snapshot, lastEnd] = await Promise.all([
    readCredentials(home),
    readStatusFile(home),
    lockHolder(home),
    readSnapshot(home),
    readLastEnd(home),
  ]);
  // Not by the number alone: after a crash another program may have it.
  const isRunning = agent !== null && agent.state !== 'ended' && holder === agent.pid;
  // The lock knows best who lives: seen from a container, a runner beside it may seem to be of another start of the machine.
  const isOwnSnapshot = isRunning && snapshot?.pid === agent.pid;
  return {
    home,
    credentials,
    agent,
    isRunning,
    answeredAt: isOwnSnapshot ? snapshot.answeredAt : null,
    lastEnd: isOwnSnapshot ? snapshot.before : lastEnd,
    runsOwed: agent !== null && isRunning ? agent.runsOwed : await countOwed(home),
  };
}

/** Exit code by what is known here: a key that is over, then no runner that the bridge answers. */
export function localExitCode({ credentials, agent, isRunning }: LocalStatus, nowMs: number): number {
  if (credentials !== null && Date.parse(newestKey(credentials).notAfter) < nowMs)
    return exitCode.credentialsRefused;
  const isConnected = isRunning && agent?.connectedAt !== null && agent?.disconnectedAt === null;
  return isConnected ? exitCode.done : exitCode.unavailable;
}
