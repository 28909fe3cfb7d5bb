import { parseListenAddress } from './listen-address.ts';
import { setting } from './setting.ts';
import { optionalText, parsedBy, wholeNumber } from './values.ts';

// Source of both: system.md, §5 and §6.
const defaultSpoolMib = 200;
const defaultDrainSeconds = 5 * 60;

/** How the process of a runner lives. */
export const lifeSettings = {
  concurrency: setting({
    variables: [],
    flag: '--concurrency',
    summary: 'Runs at the same time (default: 1)',
    value: wholeNumber(1, 64).transform((concurrency) => concurrency ?? 1),
  }),
  /** Most that is kept on disk for the bridge. */
  spoolBytes: setting({
    variables: ['QUALINET_SPOOL_MIB'],
    summary: `Most that is kept on disk for the bridge, in MiB (default: ${defaultSpoolMib})`,
    value: wholeNumber(16, 1_000_000).transform((mib) => (mib ?? defaultSpoolMib) * 1024 ** 2),
  }),
  /** Longest a runner that was told to end finishes its runs. */
  drainMs: setting({
    variables: ['QUALINET_DRAIN_SECONDS'],
    summary: `Longest a runner that is stopped finishes its runs, in seconds (default: ${defaultDrainSeconds})`,
    value: wholeNumber(0, 86_400).transform((seconds) => (seconds ?? defaultDrainSeconds) * 1_000),
  }),
  /** Null for nowhere. */
  healthListen: setting({
    variables: ['QUALINET_HEALTH_LISTEN'],
    flag: '--health-listen',
    summary:
      'Where `/live`, `/ready` and `/metrics` are answered: `4871` (to this machine only) or `HOST:PORT` (default: nowhere)',
    value: optionalText.transform(parsedBy(parseListenAddress)),
  }),
  /** Null where no service manager waits to hear of this process. */
  notifySocket: setting({
    variables: ['NOTIFY_SOCKET'],
    summary: 'Set by systemd: where it hears that the runner is up',
    value: optionalText,
  }),
  /** Null where nobody watches. */
  watchdogMs: setting({
    variables: ['WATCHDOG_USEC'],
    summary: 'Set by systemd: after how many microseconds without a sign of life it restarts the runner',
    value: optionalText
      .refine((text) => text === null || /^[1-9]\d{3,14}$/.test(text), 'must be microseconds, 1000 or more')
      .transform((text) => (text === null ? null : Number(text) / 1_000)),
  }),
};
