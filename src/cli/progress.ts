import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BrowserChoice } from '../browser/install/find-browser.ts';
import type { Writer } from '../command-line/command.ts';
import type { Step } from '../flow/step.ts';
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
export function progressPrinter(steps: readonly Step[], out: Writer): ProgressPrinter {
  const position = new Map(steps.map(({ nodeId, type }, index) => [nodeId, { number: index + 1, type }]));
  return {
    begin(name, browser) {
      const plural = steps.length === 1 ? 'step' : 'steps';
      out.write(
        `${printable(name)}: ${steps.length} ${plural}, ${browser.kind} (${browser.why}: ${browser.path})\n`,
      );
    },
    onEvent(event) {
      if (event.type !== 'step_complete') return;
      const { number, type } = position.get(event.nodeId) ?? { number: 0, type: '' };
      const mark = event.status === 'passed' ? 'ok  ' : 'FAIL';
      const text = event.error ?? event.logs ?? '';
      out.write(
        `  ${mark} ${number}/${steps.length} ${type}  ${firstLineIndented(text)}  (${duration(event.durationMs)})\n`,
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
