import type { CommandContext } from '../../command-line/command.ts';
import { CancelledError, errorText } from '../../lib/errors.ts';
import { exitCode } from '../../lib/exit-code.ts';

/** The first signal ends the run in order, so that the browser closes and a result is printed; the second ends everything. */
export function listenForSignals(
  { onSignal, stderr, exit }: CommandContext,
  abort: AbortController,
): () => void {
  return onSignal((signal) => {
    const code = signal === 'SIGINT' ? exitCode.interrupted : exitCode.terminated;
    if (abort.signal.aborted) exit(code);
    stderr.write('Stopping the run; once more ends at once.\n');
    abort.abort(new CancelledError(`interrupted (${signal})`));
  });
}

/** The exit code of what a signal has ended, or the person at the keyboard. */
export function interruptedBy(signal: AbortSignal): number {
  return errorText(signal.reason).includes('SIGTERM') ? exitCode.terminated : exitCode.interrupted;
}
