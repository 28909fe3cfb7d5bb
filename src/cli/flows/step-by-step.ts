import { createInterface } from 'node:readline';
import type { CommandContext } from '../../command-line/command.ts';
import type { Step } from '../../flow/step.ts';
import { CancelledError, UsageError } from '../../lib/errors.ts';
import { printable } from '../../lib/printable.ts';

/** Holds a run before each step until the person at the keyboard lets it go on. */
export interface StepByStep {
  beforeStep(step: Step): Promise<void>;
  close(): void;
}

/** Longest part of a step's fields that is shown. */
const shownLength = 200;

/** Asks at the terminal: Enter goes one step, `c` goes on to the end, `q` stops the run. Throws UsageError where there is no terminal. */
export function stepByStep({ stdin, stderr }: CommandContext, abort: AbortController): StepByStep {
  if (stdin.isTTY !== true) {
    throw new UsageError('--step needs a terminal', { hint: 'Run it at a terminal, or leave --step out.' });
  }
  const lines = createInterface({ input: stdin, terminal: false });
  const answers = lines[Symbol.asyncIterator]();
  let isFree = false;
  return {
    async beforeStep({ nodeId, type, fields }) {
      if (isFree || abort.signal.aborted) return;
      const shown = printable(JSON.stringify(fields)).slice(0, shownLength);
      stderr.write(
        `  next: ${printable(nodeId)} ${type} ${shown}\n  [Enter] this step, c all others, q stop: `,
      );
      const { value = 'q' } = await answers.next();
      const answer = value.trim().toLowerCase();
      if (answer === 'c') isFree = true;
      if (answer === 'q') abort.abort(new CancelledError('stopped at the keyboard'));
    },
    close: () => lines.close(),
  };
}
