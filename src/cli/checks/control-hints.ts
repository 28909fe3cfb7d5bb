import { followControl } from '../../agent/client/control-stream.ts';
import { duration } from '../../lib/duration.ts';
import { CancelledError } from '../../lib/errors.ts';
import { silentLog } from '../../lib/log.ts';
import { type Check, ok, skipped, warning } from './check.ts';

/** A bridge greets at once; what comes later is kept back by something. */
const patienceMs = 5_000;

export const controlHints: Check = {
  name: 'control',
  title: 'Control stream',
  needs: ['credentials'],
  fix: 'Let text/event-stream through unbuffered (nginx: proxy_buffering off)',
  async run({ client, transport, clock }, signal) {
    const bridge = await client();
    if (bridge === null) return skipped('cannot be known: this machine is not paired');
    const ending = new AbortController();
    const isOver = new CancelledError('it is known whether hints get through');
    const onAbort = (): void => ending.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    const startedMs = clock.monotonicMs();
    let heardMs: number | null = null;
    let why = 'nothing came through';
    const log = {
      ...silentLog,
      // It tells why a stream ended; one that does not open need not be tried again here.
      debug(message: string) {
        if (!ending.signal.aborted) why = message;
        ending.abort(isOver);
      },
    };
    const following = followControl({
      client: bridge,
      transport,
      clock,
      random: Math.random,
      log,
      signal: ending.signal,
      onPoll() {},
      onHeartbeat() {},
      onHeard(isHeard) {
        if (!isHeard) return;
        heardMs = clock.monotonicMs() - startedMs;
        ending.abort(isOver);
      },
    });
    const patience = clock.sleep(patienceMs, ending.signal).then(
      () => ending.abort(isOver),
      () => {},
    );
    await Promise.all([following, patience]);
    signal.removeEventListener('abort', onAbort);
    signal.throwIfAborted();
    return heardMs === null
      ? warning(
          `does not get through (${why}): runs begin and are cancelled up to 5 s later`,
          controlHints.fix,
        )
      : ok(`open in ${duration(heardMs)}`);
  },
};
