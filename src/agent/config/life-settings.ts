import { setting } from './setting.ts';
import { wholeNumber } from './values.ts';

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
};
