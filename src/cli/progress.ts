import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BrowserChoice } from '../browser/install/find-browser.ts';
import type { Writer } from '../command-line/command.ts';
import { countText, flowLength, lengthText } from '../flow/flow-length.ts';
import { type Block, stepsIn } from '../flow/step.ts';
import { duration } from '../lib/duration.ts';
import { printable } from '../lib/printable.ts';
import type { RunResult, StepEvent } from '../protocol/run-result.ts';

/** Tells a person how a run goes, a line a step. */
export interface ProgressPrinter {
  begin(name: string, browser: BrowserChoice): void;
  onEvent(event: StepEvent): void;
  end(result: RunResult, cwd: string): void;
}

/** Prints on `out` as steps complete; the same text with and without a terminal, no cursor tricks. */
export function progressPrinter(flow: Block, out: Writer): ProgressPrinter {
  const length = flowLength(flow);
  const typeOf = new Map(stepsIn(flow).map(({ nodeId, type }) => [nodeId, type]));
  let executed = 0;
  return {
    begin(name, browser) {
      out.write(
        `${printable(name)}: ${lengthText(length)}, ${browser.kind} (${browser.why}: ${browser.path})\n`,
      );
    },
    onEvent(event) {
      if (event.type !== 'step_complete') return;
      executed += 1;
      const type = typeOf.get(event.nodeId) ?? '';
      const mark = event.status === 'passed' ? 'ok  ' : 'FAIL';
      const text = event.error ?? event.logs ?? '';
      out.write(
        `  ${mark} ${countText(executed, length)} ${type}  ${firstLineIndented(text)}  (${duration(event.durationMs)})\n`,
      );
    },
    end(result, cwd) {
      const failed = result.stepsResult.find(({ status }) => status === 'failed');
      if (failed?.screenshotUrl !== undefined) {
        out.write(`  screenshot: ${relative(cwd, fileURLToPath(failed.screenshotUrl))}\n`);
      }
      if (failed?.screenshotProblem !== undefined)
        out.write(`  no screenshot: ${printable(failed.screenshotProblem)}\n`);
      if (result.error !== undefined) out.write(`  ${printable(result.error.message)}\n`);
    },
  };
}

/** Further lines stand under the first one. */
function firstLineIndented(text: string): string {
  return text.split('\n').map(printable).join('\n         ');
}
