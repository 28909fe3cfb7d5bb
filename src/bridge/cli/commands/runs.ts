import * as z from 'zod';
import { defineCommand } from '../../../command-line/command.ts';
import { duration } from '../../../lib/duration.ts';
import { exitCode } from '../../../lib/exit-code.ts';
import { printable } from '../../../lib/printable.ts';
import type { RunView } from '../../../protocol/messages.ts';
import { connectionOptions, findBridge } from '../connection.ts';
import { callBridge } from '../operator-client.ts';
import { table } from '../table.ts';

/** `qualinet-bridge runs [ID]`: the newest runs, or one with its steps. */
export const runs = defineCommand({
  options: z.object({ args: z.array(z.uuid('must be the ID of a run')).max(1), ...connectionOptions }),
  async run({ args: [runId], json, ...where }, { env, stdout, stderr }) {
    const bridge = await findBridge(where, env);
    if (runId !== undefined) {
      const run = await callBridge(bridge, 'readRun', { params: { runId } });
      stdout.write(json ? `${JSON.stringify(run)}\n` : runText(run));
      return exitCode.done;
    }
    const answer = await callBridge(bridge, 'listRuns');
    if (json) stdout.write(`${JSON.stringify(answer)}\n`);
    else if (answer.runs.length === 0)
      stderr.write('There is no run yet. Queue one with: qualinet-bridge submit FLOW.json\n');
    else {
      stdout.write(
        table(
          ['ID', 'NAME', 'STATUS', 'ATTEMPT', 'QUEUED', 'DURATION'],
          answer.runs.map((run) => [
            run.runId,
            run.name ?? '',
            run.status,
            String(run.attempt),
            run.queuedAt,
            run.durationMs === null ? '' : duration(run.durationMs),
          ]),
        ),
      );
    }
    return exitCode.done;
  },
});

/** A run for people: how it ended, then a line for each step. */
export function runText(run: RunView): string {
  const steps = run.stepsResult ?? [];
  const passed = steps.filter(({ status }) => status === 'passed').length;
  const time = run.durationMs === null ? '' : ` in ${duration(run.durationMs)}`;
  return [
    `${run.status}${run.stepsResult === null ? '' : `: ${passed} of ${steps.length} executed steps passed${time}`}`,
    ...(run.error === null
      ? []
      : [run.error.message, ...(run.error.problems ?? []).map((line) => `  - ${line}`)]),
    ...(run.lastEndReason === null
      ? []
      : [`attempt ${run.attempt}; the one before ended: ${run.lastEndReason}`]),
    ...steps.flatMap((step) => [
      `  ${step.status === 'passed' ? 'ok  ' : 'FAIL'} ${step.nodeId} ${step.type}  ${step.error ?? step.logs ?? ''}  (${duration(step.durationMs)})`,
      ...(step.screenshotUrl === undefined ? [] : [`       screenshot: ${step.screenshotUrl}`]),
      // Whoever reads this sits elsewhere, and cannot give an option to a runner.
      ...(step.errorKind === 'blocked'
        ? [
            "       a rule of the runner's machine: only its owner can change it, there, where qualinet start is typed",
          ]
        : []),
      ...(step.screenshotProblem === undefined ? [] : [`       no screenshot: ${step.screenshotProblem}`]),
    ]),
  ]
    .map((line) => `${printable(line)}\n`)
    .join('');
}
