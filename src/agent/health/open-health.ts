import type { BrowserWatcher } from '../../browser/launch-chromium.ts';
import type { Clock } from '../../lib/clock.ts';
import { counted } from '../../lib/counted.ts';
import { duration } from '../../lib/duration.ts';
import type { Log } from '../../lib/log.ts';
import type { AgentEvent } from '../agent-event.ts';
import type { ListenAddress } from '../config/listen-address.ts';
import { measureSpool } from '../spool/measure-spool.ts';
import { type HealthAnswer, type HealthListener, openHealthListener } from './health-listener.ts';
import { processReader } from './process-reading.ts';
import { createPulse, type Pulse } from './pulse.ts';
import { createReadiness, type WatchedBrowser } from './readiness.ts';
import { createRunCounts } from './run-counts.ts';
import { runnerMetrics } from './runner-metrics.ts';
import { openServiceManager } from './service-manager.ts';

export interface HealthOptions {
  home: string;
  version: string;
  concurrency: number;
  /** Null for no listener. */
  healthListen: ListenAddress | null;
  /** Null where nobody watches. */
  watchdogMs: number | null;
  /** Null where no service manager waits to hear of this process. */
  notifySocket: string | null;
}

export interface HealthDeps {
  clock: Clock;
  log: Log;
  /** No further runs are taken. */
  drainSignal: AbortSignal;
  /** Sends to the service manager. */
  notify(assignments: readonly string[]): Promise<void>;
}

/** How this life of a runner is, for the service manager and for whoever asks over HTTP. */
export interface Health {
  readonly pulse: Pulse;
  /** Where it is asked over HTTP, null for nowhere. */
  readonly url: string | null;
  /** Ports that this process listens on: no flow may reach them. */
  readonly ownPorts: readonly number[];
  /** `watcher`, with its starts counted. */
  countingStarts(watcher: BrowserWatcher): BrowserWatcher;
  /** The browser is there, and the runner with it. */
  up(browser: WatchedBrowser): void;
  onEvent(event: AgentEvent): void;
  /** Never rejects. */
  close(): Promise<void>;
}

/** Begins to watch over a life. Throws EnvironmentError when the address of the listener cannot be had. */
export async function openHealth(options: HealthOptions, deps: HealthDeps): Promise<Health> {
  const { clock, log, drainSignal } = deps;
  const pulse = createPulse(clock);
  const counts = createRunCounts();
  const readiness = createReadiness({ clock, drainSignal, pulse, counts });
  const readProcess = processReader();
  let browserStarts = 0;

  const listener = options.healthListen === null ? null : await listen(options.healthListen);
  const manager = options.notifySocket === null ? null : openServiceManager(options, { ...deps, pulse });
  const onDrain = (): void => {
    manager?.stopping();
    tellStatus();
  };
  drainSignal.addEventListener('abort', onDrain, { once: true });
  if (drainSignal.aborted) onDrain();
  else tellStatus();

  return {
    pulse,
    url: listener?.url ?? null,
    ownPorts: listener === null ? [] : [listener.port],
    countingStarts: (watcher) => ({
      ...watcher,
      started(pid) {
        browserStarts += 1;
        return watcher.started(pid);
      },
    }),
    up(browser) {
      readiness.browser = browser;
      manager?.ready();
      tellStatus();
      if (listener !== null) void readiness.problems();
    },
    onEvent(event) {
      counts.onEvent(event);
      if (event.type !== 'step' && event.type !== 'deed') tellStatus();
    },
    async close() {
      drainSignal.removeEventListener('abort', onDrain);
      await listener?.close();
      await manager?.close();
      await readiness.settled();
    },
  };

  async function listen(address: ListenAddress): Promise<HealthListener> {
    const opened = await openHealthListener(address, { '/live': live, '/ready': ready, '/metrics': metrics });
    log.info(`health: ${opened.url}/live, /ready and /metrics`);
    if (!address.isLoopback) {
      log.warn(
        `whoever reaches ${opened.url} can read how this runner is; 127.0.0.1 is for this machine only`,
      );
    }
    return opened;
  }

  /** That it answers at all shows that the event loop turns. */
  async function live(): Promise<HealthAnswer> {
    const overdueMs = pulse.overdueMs();
    return overdueMs === 0
      ? plain(200, 'live')
      : plain(503, `the lease loop is stuck for ${duration(overdueMs)}`);
  }

  async function ready(): Promise<HealthAnswer> {
    const problems = await readiness.problems();
    return problems.length === 0 ? plain(200, 'ready') : plain(503, problems.join('\n'));
  }

  async function metrics(): Promise<HealthAnswer> {
    const text = runnerMetrics({
      ...options,
      counts,
      pulse,
      browserStarts,
      isReady: (await readiness.problems()).length === 0,
      spool: await measureSpool(options.home),
      process: readProcess(),
    });
    return { status: 200, contentType: 'text/plain; version=0.0.4; charset=utf-8', text };
  }

  function tellStatus(): void {
    manager?.status(statusText());
  }

  function statusText(): string {
    const { running, pollError } = counts;
    const runs = running === 0 ? null : `${counted(running, 'run')} under way`;
    if (drainSignal.aborted) return runs === null ? 'stopping' : `stopping: ${runs}`;
    if (readiness.browser === null) return 'starting the browser';
    if (pollError !== null) return `no runs are taken: ${pollError}${runs === null ? '' : `; ${runs}`}`;
    return runs ?? (pulse.polls() === 0 ? 'connecting to the bridge' : 'waiting for runs');
  }
}

function plain(status: 200 | 503, text: string): HealthAnswer {
  return { status, contentType: 'text/plain; charset=utf-8', text: `${text}\n` };
}
