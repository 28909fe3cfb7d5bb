import { join } from 'node:path';
import { ownIdentity, stateOf } from '../../lib/process-alive.ts';
import { type FlightSnapshot, type LastEnd, snapshotSchema } from './flight-snapshot.ts';
import { type ReadText, readMachine, readText } from './machine-reading.ts';
import { type MachineNow, whyEnded } from './why-ended.ts';

/**
 * How the life of this home that is over ended, without changing anything: the one before the running one, or the last one
 * when none runs. Null when nothing is known.
 */
export async function readLastEnd(home: string): Promise<LastEnd | null> {
  const last = await readSnapshot(home);
  if (last === null) return null;
  const now = await machineNow({ readText, nowMs: Date.now });
  if (last.ended === null && now.bootId === last.bootId) {
    const space = last.bootId === null ? 'unknown' : `${last.namespace}@${last.bootId}`;
    // One in another container cannot be seen from here; it may well run.
    if ((await stateOf({ pid: last.pid, startedAt: last.processStart, space })) !== 'dead')
      return last.before;
  }
  return whyEnded(last, now);
}

/** The last snapshot of this home's last life; null when there is none, or a damaged one, which says nothing. */
export async function readSnapshot(home: string): Promise<FlightSnapshot | null> {
  const text = await readText(flightRecordPath(home));
  try {
    return text === null ? null : (snapshotSchema.safeParse(JSON.parse(text)).data ?? null);
  } catch {
    return null;
  }
}

/** The machine as it is now. */
export async function machineNow(deps: { readText: ReadText; nowMs(): number }): Promise<MachineNow> {
  const [machine, { space }] = await Promise.all([readMachine(deps.readText), ownIdentity()]);
  return { ...machine, at: new Date(deps.nowMs()).toISOString(), namespace: namespaceOf(space) };
}

/** The PID namespace in a process's space. */
export function namespaceOf(space: string): string {
  return space.split('@')[0] ?? 'unknown';
}

/** Where the record of a home is. */
export function flightRecordPath(home: string): string {
  return join(home, 'flight-record.json');
}
