import { exitCode } from '../lib/exit-code.ts';

/** Signals that ask the program to end. */
export type StopSignal = 'SIGINT' | 'SIGTERM';

/**
 * `running`: no signal yet. `draining` (1st signal): no further runs, those under way are finished, for a while.
 * `stopping` (2nd, or the drain took too long): runs are cancelled and handed back. A 3rd signal exits.
 */
type ShutdownStage = 'running' | 'draining' | 'stopping';

/** What a signal makes the program do. */
export type ShutdownStep =
  | { do: 'drain'; stage: 'draining' }
  | { do: 'stop'; stage: 'stopping'; exitCode: number }
  | { do: 'exit'; stage: 'stopping'; exitCode: number };

/** The next step at a signal. */
function onStopSignal(stage: ShutdownStage, signal: StopSignal): ShutdownStep {
  const code = signal === 'SIGINT' ? exitCode.interrupted : exitCode.terminated;
  switch (stage) {
    case 'running':
      return { do: 'drain', stage: 'draining' };
    case 'draining':
      return { do: 'stop', stage: 'stopping', exitCode: code };
    case 'stopping':
      return { do: 'exit', stage: 'stopping', exitCode: code };
  }
}

/** What {@link watchSignals} needs of the process. */
export interface SignalSource {
  onSignal(listener: (signal: StopSignal) => void): () => void;
  exit(code: number): never;
}

/** The signals of the process as two AbortSignals. */
export interface Shutdown {
  readonly drainSignal: AbortSignal;
  readonly stopSignal: AbortSignal;
  /** The exit code a second signal asked for; null without one. */
  exitCode(): number | null;
  /** Stops listening. */
  close(): void;
}

/** Wires signals of `source`: the first drains, the second stops, the third exits. `reason` is what runs are stopped with. */
export function watchSignals(
  source: SignalSource,
  {
    reason,
    drainMs,
    onStep,
    sleep,
  }: {
    reason: () => Error;
    /** How long a drain may take. */
    drainMs: number;
    onStep(step: ShutdownStep, signal: StopSignal | null): void;
    sleep(ms: number, signal: AbortSignal): Promise<void>;
  },
): Shutdown {
  const drain = new AbortController();
  const stop = new AbortController();
  const closing = new AbortController();
  let stage: ShutdownStage = 'running';
  let code: number | null = null;

  const unsubscribe = source.onSignal((signal) => {
    const step = onStopSignal(stage, signal);
    stage = step.stage;
    onStep(step, signal);
    if (step.do === 'drain') beginDrain();
    if (step.do === 'stop') {
      code = step.exitCode;
      stop.abort(reason());
    }
    if (step.do === 'exit') source.exit(step.exitCode);
  });

  return {
    drainSignal: drain.signal,
    stopSignal: stop.signal,
    exitCode: () => code,
    close() {
      closing.abort();
      unsubscribe();
    },
  };

  function beginDrain(): void {
    drain.abort(reason());
    sleep(drainMs, closing.signal).then(
      () => {
        if (stage !== 'draining') return;
        stage = 'stopping';
        onStep({ do: 'stop', stage, exitCode: exitCode.done }, null);
        stop.abort(reason());
      },
      () => {},
    );
  }
}
