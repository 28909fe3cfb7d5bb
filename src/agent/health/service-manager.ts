import { execFile } from 'node:child_process';
import type { Clock } from '../../lib/clock.ts';
import { errorText } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { printable } from '../../lib/printable.ts';
import type { Pulse } from './pulse.ts';

/** What a service manager (systemd) hears of this process. */
export interface ServiceManager {
  /** The runner is up. Its bridge may be away: that is no reason to wait for it. */
  ready(): void;
  /** It finishes its runs and ends. */
  stopping(): void;
  /** One line for people: `systemctl status` shows it. */
  status(text: string): void;
  /** No further sign of life. Resolves when nothing is under way. Never rejects. */
  close(): Promise<void>;
}

export interface ServiceManagerDeps {
  clock: Clock;
  log: Log;
  pulse: Pick<Pulse, 'overdueMs'>;
  /** Sends `READY=1` and the like, all at once. */
  notify(assignments: readonly string[]): Promise<void>;
}

/** Shortest time between two texts: each starts a program. */
const statusEveryMs = 1_000;

/**
 * Tells systemd how the runner is. With `watchdogMs` it gives a sign of life three times in that time, from the event loop and only
 * while the lease loop turns: a runner of which either is stuck is killed and started again.
 */
export function openServiceManager(
  { watchdogMs }: { watchdogMs: number | null },
  { clock, log, pulse, notify }: ServiceManagerDeps,
): ServiceManager {
  const ending = new AbortController();
  const pending: string[] = [];
  let statusText: string | null = null;
  let isTold = false;
  let isOverdueTold = false;
  let sending: Promise<void> | null = null;
  const pinging = watchdogMs === null ? Promise.resolve() : ping(watchdogMs / 3);

  return {
    ready: () => say('READY=1'),
    stopping: () => say('STOPPING=1'),
    status(text) {
      statusText = text;
      sending ??= send();
    },
    async close() {
      ending.abort();
      await pinging;
      await sending;
    },
  };

  function say(assignment: string): void {
    pending.push(assignment);
    sending ??= send();
  }

  async function ping(everyMs: number): Promise<void> {
    while (!ending.signal.aborted) {
      const overdueMs = pulse.overdueMs();
      if (overdueMs === 0) say('WATCHDOG=1');
      else if (!isOverdueTold) {
        log.error('the lease loop is stuck: systemd gets no sign of life and starts this runner again', {
          overdueMs,
        });
      }
      isOverdueTold = overdueMs > 0;
      await clock.sleep(everyMs, ending.signal).catch(() => {});
    }
  }

  async function send(): Promise<void> {
    while (pending.length > 0 || statusText !== null) {
      const hasStatus = statusText !== null;
      const assignments = pending.splice(0);
      // A line break would begin another assignment.
      if (statusText !== null) assignments.push(`STATUS=${printable(statusText).slice(0, 500)}`);
      statusText = null;
      try {
        await notify(assignments);
        isTold = false;
      } catch (error) {
        if (!isTold) log.warn(`systemd cannot be told how this runner is: ${errorText(error)}`);
        isTold = true;
      }
      if (hasStatus && pending.length === 0) await clock.sleep(statusEveryMs, ending.signal).catch(() => {});
    }
    sending = null;
  }
}

/** Longest the program may take: it waits until systemd has read what it sent. */
const notifyMs = 10_000;

/**
 * Sends by `systemd-notify`, which is wherever systemd is: Node.js itself cannot write to the datagram socket that systemd listens on.
 * The unit needs `NotifyAccess=all` for it.
 */
export function systemdNotify(
  env: Readonly<Record<string, string | undefined>>,
): (assignments: readonly string[]) => Promise<void> {
  return (assignments) =>
    new Promise((resolve, reject) => {
      execFile(
        'systemd-notify',
        [...assignments],
        { env: { ...env }, timeout: notifyMs },
        (error, _out, stderr) => {
          if (error === null) resolve();
          else
            reject(new Error(`systemd-notify failed: ${stderr.trim() || error.message}`, { cause: error }));
        },
      );
    });
}
