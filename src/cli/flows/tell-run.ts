import type { BrowserChoice } from '../../browser/install/find-browser.ts';
import type { CommandContext } from '../../command-line/command.ts';
import { counted } from '../../lib/counted.ts';
import { duration } from '../../lib/duration.ts';
import type { ReportedTry } from '../../report/reported-run.ts';
import { progressPrinter } from '../progress.ts';
import type { PreparedFlow } from './prepare-flows.ts';
import { type RunTeller, traceLine } from './run-teller.ts';

/** Tells how one run goes, a line a step; its verdict goes to standard output, as JSON if that is wanted. */
export function tellRun(
  { name, steps }: PreparedFlow,
  { choice, json, context }: { choice: BrowserChoice; json: boolean; context: CommandContext },
): RunTeller {
  const { stdout, stderr, cwd } = context;
  const progress = progressPrinter(steps, stderr);
  progress.begin(name, choice);
  const tellEnd = (one: ReportedTry | undefined): void => {
    if (one === undefined) return;
    progress.end(one.result, cwd);
    if (one.tracePath !== null) stderr.write(`  ${traceLine(one.tracePath, cwd)}\n`);
  };
  return {
    onEvent: progress.onEvent,
    onTryFailed({ tries }, left) {
      tellEnd(tries.at(-1));
      stderr.write(`  once more (${counted(left, 'try', 'tries')} left)\n`);
    },
    onEnd: ({ tries }) => tellEnd(tries.at(-1)),
    end([run]) {
      const last = run?.tries.at(-1);
      if (run === undefined || last === undefined) return;
      const { result, tracePath } = last;
      const attempts = run.tries.length;
      if (json) {
        stdout.write(
          `${JSON.stringify({
            ...result,
            ...(attempts > 1 ? { attempts } : {}),
            ...(tracePath === null ? {} : { tracePath }),
          })}\n`,
        );
        return;
      }
      const passed = result.stepsResult.filter(({ status }) => status === 'passed').length;
      const tries = attempts > 1 ? `, at try ${attempts}` : '';
      stdout.write(
        `${result.status}: ${passed} of ${result.stepsResult.length} executed steps passed in ${duration(result.durationMs)}${tries}\n`,
      );
    },
  };
}
