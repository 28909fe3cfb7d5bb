import { EventSource } from 'eventsource';
import type { CommandContext } from '../../command-line/command.ts';
import { checkFlow } from '../../flow/check-flow.ts';
import { countText, flowLength } from '../../flow/flow-length.ts';
import { stepsIn } from '../../flow/step.ts';
import { duration } from '../../lib/duration.ts';
import { BridgeUnavailableError } from '../../lib/errors.ts';
import { printable } from '../../lib/printable.ts';
import type { FlowSnapshot } from '../../protocol/messages.ts';
import { routePath } from '../../protocol/routes.ts';
import { type RunUpdate, runUpdateSchema } from '../../protocol/run-result.ts';
import type { Connection } from './connection.ts';

/** When no runner has taken the run by then, the person is told what may be missing. */
const patienceMs = 5_000;

/** A stream that stays open for so long is back; where Redis is away, the bridge opens it and ends it at once. */
const settledMs = 2_000;

/**
 * Follows a run on the bridge's event stream, a line for each step on stderr as it happens, to its end or to a signal.
 * A cut connection is taken up again without a gap. Throws BridgeUnavailableError when the stream is refused.
 */
export async function waitForRun(
  { url, token }: Connection,
  runId: string,
  flow: FlowSnapshot,
  { stderr, onSignal }: Pick<CommandContext, 'stderr' | 'onSignal'>,
): Promise<'run_complete' | 'SIGINT' | 'SIGTERM'> {
  const lineOf = updateLines(flow);
  const source = new EventSource(url + routePath('followRun', { runId }), {
    fetch: (address, init) =>
      fetch(address, { ...init, headers: { ...init.headers, authorization: `Bearer ${token.reveal()}` } }),
  });
  const impatience = setTimeout(() => {
    stderr.write('no runner has taken the run yet; see: qualinet-bridge runners\n');
  }, patienceMs);
  let stopListening = (): void => {};
  let isAway = false;
  let settling: NodeJS.Timeout | undefined;
  const back = (): void => {
    clearTimeout(settling);
    if (isAway) stderr.write('the bridge is back\n');
    isAway = false;
  };
  try {
    return await new Promise((resolve, reject) => {
      stopListening = onSignal(resolve);
      source.addEventListener('open', () => {
        clearTimeout(settling);
        settling = setTimeout(back, settledMs);
      });
      source.addEventListener('message', ({ data }) => {
        back();
        const update = runUpdateSchema.safeParse(JSON.parse(String(data)));
        // An event of a newer bridge: nothing we could print.
        if (!update.success) return;
        clearTimeout(impatience);
        const line = lineOf(update.data);
        if (line !== null) stderr.write(`${printable(line)}\n`);
        if (update.data.type === 'run_complete') resolve('run_complete');
      });
      source.addEventListener('error', ({ code, message }) => {
        clearTimeout(settling);
        if (source.readyState !== EventSource.CLOSED) {
          if (!isAway)
            stderr.write('the events of the run do not come; trying again (Ctrl-C leaves the run alone)\n');
          isAway = true;
          return;
        }
        // 204: everything was told before the connection was cut.
        if (code === 204) resolve('run_complete');
        else
          reject(
            new BridgeUnavailableError(`the events of the run cannot be read: ${message ?? code}`, {
              hint: `Look at the run with: qualinet-bridge runs ${runId}`,
            }),
          );
      });
    });
  } finally {
    clearTimeout(impatience);
    clearTimeout(settling);
    stopListening();
    source.close();
  }
}

function updateLines(flow: FlowSnapshot): (update: RunUpdate) => string | null {
  const checked = checkFlow(flow, null);
  const steps = checked.ok ? checked.steps : [];
  const length = flowLength(steps);
  const typeOf = new Map(stepsIn(steps).map(({ nodeId, type }) => [nodeId, type]));
  let executed = 0;
  return (update) => {
    switch (update.type) {
      case 'run_start':
        executed = 0;
        return `runner ${update.runnerName} has the run${update.attempt > 1 ? ` (attempt ${update.attempt})` : ''}`;
      case 'step_start':
        return null;
      case 'step_complete': {
        const mark = update.status === 'passed' ? 'ok  ' : 'FAIL';
        executed += 1;
        const step = `${countText(executed, length)} ${typeOf.get(update.nodeId) ?? update.nodeId}`;
        return `  ${mark} ${step}  ${update.error ?? update.logs ?? ''}  (${duration(update.durationMs)})`;
      }
      case 'run_complete':
        return `run ${update.status}`;
    }
  };
}
