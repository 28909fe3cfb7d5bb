import type { BrowserChoice } from '../../browser/install/find-browser.ts';
import type { CommandContext } from '../../command-line/command.ts';
import { duration } from '../../lib/duration.ts';
import { progressPrinter } from '../progress.ts';
import type { PreparedFlow } from './prepare-flows.ts';
import type { RunTeller } from './run-teller.ts';

/** Tells how one run goes, a line a step; its verdict goes to standard output, as JSON if that is wanted. */
export function tellRun(
  { name, steps }: PreparedFlow,
  { choice, json, context }: { choice: BrowserChoice; json: boolean; context: CommandContext },
): RunTeller {
  const { stdout, stderr, cwd } = context;
  const progress = progressPrinter(steps, stderr);
  progress.begin(name, choice);
  return {
    onEvent: progress.onEvent,
    onTryFailed({ tries }, left) {
      const last = tries.at(-1);
      if (last !== undefined) progress.end(last.result, cwd);
      stderr.write(`  once more (${left} ${left === 1 ? 'try' : 'tries'} left)\n`);
    },
    onEnd({ tries }) {
      const last = tries.at(-1);
      if (last !== undefined) progress.end(last.result, cwd);
    },
    end([run]) {
      const last = run?.tries.at(-1);
      if (run === undefined || last === undefined) return;
      const { result } = last;
      const attempts = run.tries.length;
      if (json) {
        stdout.write(`${JSON.stringify(attempts > 1 ? { ...result, attempts } : result)}\n`);
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
