import { setTimeout as delay } from 'node:timers/promises';
import type { RunView } from '../../../src/protocol/messages.ts';
import type { RunUpdate } from '../../../src/protocol/run-result.ts';
import { adminToken } from '../../support/system.ts';
import type { ChaosRun, Fleet } from './fleet.ts';

/** What is wrong with the updates of a run that has ended, as an operator who asks now gets them. */
export async function updateProblems(fleet: Fleet, run: ChaosRun, row: RunView): Promise<string[]> {
  const updates = await readUpdates(fleet, run).catch((error: Error) => error.message);
  if (typeof updates === 'string') return [`${run.tag}: its updates do not come to an end: ${updates}`];
  const told = updates.map(({ id }) => id).join(' ');
  const problems: string[] = [];
  const endings = updates.filter(({ type }) => type === 'run_complete').length;
  if (endings !== 1) problems.push(`its end was told ${endings} times`);
  const last = updates.at(-1);
  if (last?.type !== 'run_complete' || last.status !== row.status) {
    problems.push(`its last update is ${JSON.stringify(last)}, and the row says ${row.status}`);
  }
  for (const [index, { fence, seq, id }] of updates.entries()) {
    const before = updates[index - 1];
    const follows =
      before?.fence === fence ? seq === before.seq + 1 : seq === 0 && fence > (before?.fence ?? 0);
    if (!follows) problems.push(`${id} follows ${before?.id ?? 'nothing'}`);
  }
  if (row.error === null) {
    const steps = updates
      .filter((update) => update.fence === last?.fence)
      .flatMap((update) => ('nodeId' in update ? [`${update.type} ${update.nodeId}`] : []));
    const expected = (row.stepsResult ?? []).flatMap(({ nodeId }) => [
      `step_start ${nodeId}`,
      `step_complete ${nodeId}`,
    ]);
    if (steps.join() !== expected.join()) {
      problems.push(`the attempt that ended told ${steps.join(', ')} and not ${expected.join(', ')}`);
    }
  }
  return problems.map((problem) => `${run.tag}: ${problem} (all of them: ${told})`);
}

/** Longest an operator waits for the end of what is over already. */
const readMs = 20_000;

/** A stream ends early while Redis is away, and is opened again, as an EventSource does. Gives what there is after `readMs`. */
async function readUpdates(fleet: Fleet, run: ChaosRun): Promise<(RunUpdate & { id: string })[]> {
  const endsAtMs = performance.now() + readMs;
  for (;;) {
    const updates = await readOnce(fleet, run);
    if (updates.at(-1)?.type === 'run_complete' || performance.now() > endsAtMs) return updates;
    await delay(200);
  }
}

async function readOnce(fleet: Fleet, { runId }: ChaosRun): Promise<(RunUpdate & { id: string })[]> {
  const response = await fetch(`${fleet.bridge.now().url}/v1/runs/${runId}/events`, {
    headers: { authorization: `Bearer ${adminToken}` },
    signal: AbortSignal.timeout(readMs),
  });
  const text = await response.text();
  return text.split('\n\n').flatMap((block) => {
    const data = /^data: ?(.*)$/m.exec(block)?.[1];
    if (data === undefined) return [];
    return [{ ...(JSON.parse(data) as RunUpdate), id: /^id: ?(.*)$/m.exec(block)?.[1] ?? '' }];
  });
}
