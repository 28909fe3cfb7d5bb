import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CommandContext } from '../../command-line/command.ts';
import { duration } from '../../lib/duration.ts';
import { printable } from '../../lib/printable.ts';
import { reasonOf, titleOf, verdictOf } from '../../report/reported-run.ts';
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
      const last = run.tries.at(-1)?.result;
      const steps = last?.stepsResult.length ?? 0;
      const time = duration(run.tries.reduce((sum, { result }) => sum + result.durationMs, 0));
      const mark = { passed: 'ok   ', flaky: 'flaky', failed: 'FAIL ', cancelled: 'cut  ', skipped: 'skip ' }[
        verdict
      ];
      const facts = `${steps} ${steps === 1 ? 'step' : 'steps'}, ${time}${run.tries.length > 1 ? `, ${run.tries.length} tries` : ''}`;
      line(mark, `${ended}/${total}`, `${printable(titleOf(run))}  (${facts})`);
      const { tracePath = null } = run.tries.at(-1) ?? {};
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
    runs: runs.map((run) => ({
      name: run.name,
      file: run.file,
      ...(run.repetition === null ? {} : { repetition: run.repetition }),
      verdict: verdictOf(run),
      attempts: run.tries.length,
      ...run.tries.at(-1)?.result,
      ...(run.tries.at(-1)?.tracePath ? { tracePath: run.tries.at(-1)?.tracePath } : {}),
    })),
  };
}
