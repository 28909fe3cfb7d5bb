import { duration } from '../../lib/duration.ts';
import { printable } from '../../lib/printable.ts';
import type { Lack, WhyResponse } from '../../protocol/why-messages.ts';

/** What a summary says besides the answer it heads. */
interface RunFacts {
  /** Whether a bridge has a lease for the run. */
  isTakenIn: boolean;
  workspace: string;
  labels: readonly string[];
  runnerName: string | null;
  startedAtMs: number | null;
  availableAtMs: number;
  nowMs: number;
}

/** Why a run waits, in a sentence or two that a person understands. */
export function summaryOf(why: Omit<WhyResponse, 'summary'>, run: RunFacts): string {
  const runner = run.runnerName === null ? 'a runner' : `runner ${printable(run.runnerName)}`;
  switch (why.state) {
    case 'over':
      return `The run does not wait: it is over (${printable(why.status)}).`;
    case 'running':
      return run.startedAtMs === null
        ? 'The run does not wait: its row says that it is running, but not on a runner of these bridges.'
        : `The run does not wait: ${runner} has been executing it for ${duration(run.nowMs - run.startedAtMs)}.`;
    case 'offered':
      return `The run was given to ${runner} just now, which has yet to acknowledge it.`;
    case 'waiting':
      return run.isTakenIn ? waitingSummary(why, run) : notTakenIn;
  }
}

const notTakenIn =
  'The run waits in its queue: no bridge has taken it in yet. Bridges take in about as many runs as their runners have free slots.';

function waitingSummary(why: Omit<WhyResponse, 'summary'>, run: RunFacts): string {
  const { runners, moreRunners } = why;
  const needs = run.labels.length === 0 ? '' : ` with ${labelsText(run.labels)}`;
  if (runners.length === 0) {
    return `The workspace ${run.workspace} has no runner. Pair one${needs}: qualinet-bridge code --workspace ${run.workspace}${
      run.labels.length === 0 ? '' : ` --labels ${run.labels.join(',')}`
    }`;
  }
  if (why.availableAt !== null) {
    const reason = why.lastEndReason === null ? '' : ` (${printable(why.lastEndReason)})`;
    return `The run was handed back${reason} and is given out again in ${duration(run.availableAtMs - run.nowMs)}.`;
  }
  const ahead = aheadText(why.ahead);
  const free = runners.filter(({ canTake }) => canTake).length;
  if (free > 0) {
    return `${free === 1 ? 'One runner is' : `${free} runners are`} free to take it${ahead === '' ? '; it should start within seconds' : ahead}.`;
  }
  const full = runners.flatMap(({ lacks: [lack, ...more] }) =>
    lack?.what === 'full' && more.length === 0 ? [lack] : [],
  );
  if (full.length > 0) {
    const known = full.flatMap(({ freeInMs }) => freeInMs ?? []);
    const soonest =
      known.length > 0
        ? `the first is free in about ${duration(Math.min(...known))}`
        : `the first is free in ${duration(Math.min(...full.map(({ freeAtMostMs }) => freeAtMostMs)))} at the latest`;
    const who =
      full.length === 1
        ? 'The one runner that could take it is full'
        : `All ${full.length} runners that could take it are full`;
    return `${who}; ${soonest.replace('the first', full.length === 1 ? 'it' : 'the first')}${ahead}.`;
  }
  const all = runners.length + moreRunners;
  if (all === 1) {
    const lacks = runners.flatMap((runner) => runner.lacks.map(lackText));
    return `The only runner of the workspace ${run.workspace} cannot take it: it is ${lacks.join(' and ')}.`;
  }
  const counts = reasons(runners).map(([reason, count]) => `${count} ${reason}`);
  return `None of the ${all} runners of the workspace ${run.workspace} can take it: ${counts.join(', ')}.`;
}

function aheadText(ahead: number): string {
  if (ahead === 0) return '';
  return `; ${ahead === 1 ? '1 run comes' : `${ahead} runs come`} before it`;
}

/** Every runner counted under the first thing it lacks, most frequent first. */
function reasons(runners: WhyResponse['runners']): [string, number][] {
  const counts = new Map<string, number>();
  for (const { lacks } of runners) {
    const [lack] = lacks;
    if (lack === undefined) continue;
    const reason = lackText(lack);
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return [...counts].sort(([, a], [, b]) => b - a);
}

/** What a runner is that lacks this, without times: `offline`, `without the label gpu`. */
export function lackText(lack: Lack): string {
  switch (lack.what) {
    case 'offline':
    case 'draining':
    case 'full':
      return lack.what;
    case 'labels':
      return `without ${labelsText(lack.missing)}`;
    case 'not_approved':
      return lack.state;
    case 'too_old':
      return lack.protocol < lack.needs ? 'too old' : 'newer than this bridge';
  }
}

function labelsText(labels: readonly string[]): string {
  return `the label${labels.length === 1 ? '' : 's'} ${labels.join(', ')}`;
}
