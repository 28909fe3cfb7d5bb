import { sql } from 'drizzle-orm';
import { nowPlus, rowsOf, uuidArray } from '../db/database.ts';
import type { Dispatcher } from '../dispatch.ts';
import type { LeaseDeps } from '../leases/lease-deps.ts';
import { isOnline, withHeld } from '../runners/runner-activity.ts';
import type { Load } from './cap.ts';
import type { IntakeTimes } from './intake-times.ts';

type LoadDeps = Pick<LeaseDeps, 'db' | 'now' | 'timing'> & { dispatcher: Dispatcher; times: IntakeTimes };

/** What the rows of held runs say: how they load the cap, and which of them are over. One statement for all of them. */
export async function readLoad(
  { db, now, timing, dispatcher, times }: LoadDeps,
  runIds: readonly string[],
): Promise<{ running: number; blocked: number; over: string[] }> {
  if (runIds.length === 0) return { running: 0, blocked: 0, over: [] };
  const groups = await rowsOf<GroupRow>(
    db,
    sql`
      with online as (
        select runner.workspace, runner.labels from qualinet.runners runner ${withHeld(timing)}
        where runner.state = 'approved' and not runner.draining and ${isOnline(now)}
      ), load as (
        select l.workspace, l.labels,
          count(*) filter (where l.state in ('offered', 'leased'))::int as running,
          count(*) filter (where l.state = 'ready')::int as ready,
          array_agg(l.run_id::text) filter (where l.state in ('done', 'failed', 'cancelled')
            and l.ended_at <= ${nowPlus(now, -times.tellingMs)}) as over
        from qualinet.leases l where l.run_id = any(${uuidArray(runIds)}) group by l.workspace, l.labels
      )
      select load.*, exists (
          select 1 from online o where o.workspace = load.workspace and load.labels <@ o.labels) as "isServable"
      from load`,
  );
  const isAnyoneWaiting = dispatcher.freeSlots() > 0;
  const load = { running: 0, blocked: 0, over: [] as string[] };
  for (const { workspace, labels, running, ready, over, isServable } of groups) {
    load.running += running;
    load.over.push(...(over ?? []));
    // What an idle one cannot take is in his way, also when another runner could.
    const isBlocked = !isServable || (isAnyoneWaiting && !dispatcher.isAwaited(workspace, labels));
    if (isBlocked) load.blocked += ready;
  }
  return load;
}

type GroupRow = Pick<Load, 'running'> & {
  workspace: string;
  labels: string[];
  ready: number;
  over: string[] | null;
  isServable: boolean;
};
