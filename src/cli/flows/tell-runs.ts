import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CommandContext } from '../../command-line/command.ts';
import { counted } from '../../lib/counted.ts';
import { duration } from '../../lib/duration.ts';
import { printable } from '../../lib/printable.ts';
import { durationOf, reasonOf, titleOf, verdictOf } from '../../report/reported-run.ts';
import type { QueuedRun } from './flow-queue.ts';
import { type RunTeller, traceLine } from './run-teller.ts';
import { summaryOf } from './summary.ts';

/** Tells how many runs go, a line a run, the same with and without a terminal; their summary goes to standard output, as JSON if that is wanted. */
export function tellRuns(
  total: number,
  { json, context }: { json: boolean; context: CommandContext },
): RunTeller {
  const { stdout, stderr: out, cwd } = context;
  let ended = 0;
  const width = String(total).length;
  const line = (mark: string, place: string, text: string): void => {
    out.write(`  ${mark} ${place.padStart(2 * width + 1)} ${text}\n`);
  };
  return {
    onEvent: () => {},
    onTryFailed(run, left) {
      const last = run.tries.at(-1);
      const why = last === undefined ? '' : reasonOf(last.result);
      line(
        'again',
        '',
        `${printable(titleOf(run))}: ${printable(why)} (${left} more ${left === 1 ? 'try' : 'tries'})`,
      );
    },
    onEnd(run, verdict) {
      ended += 1;
      const { result: last, tracePath = null } = run.tries.at(-1) ?? {};
      const steps = last?.stepsResult.length ?? 0;
      const time = duration(durationOf(run.tries));
      const mark = { passed: 'ok   ', flaky: 'flaky', failed: 'FAIL ', cancelled: 'cut  ', skipped: 'skip ' }[
        verdict
      ];
      const facts = `${counted(steps, 'step')}, ${time}${run.tries.length > 1 ? `, ${run.tries.length} tries` : ''}`;
      line(mark, `${ended}/${total}`, `${printable(titleOf(run))}  (${facts})`);
      if (tracePath !== null) out.write(`        ${traceLine(tracePath, cwd)}\n`);
      if (verdict !== 'failed' || last === undefined) return;
      out.write(`        ${printable(reasonOf(last))}\n`);
      const picture = last.stepsResult.find(
        ({ screenshotUrl, status }) => status === 'failed' && screenshotUrl !== undefined,
      );
      if (picture?.screenshotUrl !== undefined) {
        out.write(`        screenshot: ${relative(cwd, fileURLToPath(picture.screenshotUrl))}\n`);
      }
    },
    end(runs, wallMs) {
      stdout.write(json ? `${JSON.stringify(asJson(runs, wallMs))}\n` : summaryOf(runs, wallMs));
    },
  };
}

/** All runs for programs: the status of the whole, and of each what `run --json` says of one, with its flow. */
function asJson(runs: readonly QueuedRun[], wallMs: number): Record<string, unknown> {
  const verdicts = runs.map(verdictOf);
  const status = verdicts.includes('failed')
    ? 'failed'
    : verdicts.some((verdict) => verdict === 'cancelled' || verdict === 'skipped')
      ? 'cancelled'
      : 'passed';
  return {
    status,
    durationMs: wallMs,
    runs: runs.map(runAsJson),
  };
}

function runAsJson(run: QueuedRun): Record<string, unknown> {
  const { name, file, repetition, tries } = run;
  const { result, tracePath = null } = tries.at(-1) ?? {};
  return {
    name,
    file,
    ...(repetition === null ? {} : { repetition }),
    verdict: verdictOf(run),
    attempts: tries.length,
    ...result,
    ...(tracePath === null ? {} : { tracePath }),
  };
}
