import { describe, expect, it } from 'vitest';
import type { FlightSnapshot } from '../../../src/agent/life/flight-snapshot.ts';
import { type MachineNow, whyEnded } from '../../../src/agent/life/why-ended.ts';

const gib = 1024 ** 3;

const last: FlightSnapshot = {
  version: '1.1.0',
  pid: 4711,
  processStart: '1000',
  startedAt: '2026-11-24T09:00:00.000Z',
  at: '2026-11-24T12:00:00.123Z',
  host: 'shop-1',
  bootId: 'boot-a',
  namespace: 'pid:[1]',
  upMs: 5 * 3_600_000,
  rssBytes: 1.9 * gib,
  heap: { usedBytes: 50, limitBytes: 1_000 },
  group: { usedBytes: 2 * gib, limitBytes: 2 * gib, oomKills: 3 },
  systemOomKills: 7,
  runs: [],
  interrupted: {},
  answeredAt: null,
  longestStandstill: null,
  lastStandstill: null,
  before: null,
  ended: null,
};
const now: MachineNow = {
  at: '2026-11-24T12:10:00.000Z',
  host: 'shop-1',
  bootId: 'boot-a',
  namespace: 'pid:[1]',
  upMs: 5 * 3_600_000 + 600_000,
  systemOomKills: 7,
  group: { usedBytes: gib, limitBytes: 2 * gib, oomKills: 3 },
};
const ended = { text: 'all runs have ended', exitCode: 0, at: '2026-11-24T12:00:01.000Z' };
const alive = 'last alive at 2026-11-24 12:00:00Z';

describe('why a life ended', () => {
  it.each<[string, Partial<FlightSnapshot>, Partial<MachineNow>, string, string]>([
    [
      'is its own word where it had one, whatever happened to the machine since',
      { ended: { how: 'in_order', ...ended } },
      { bootId: 'boot-b', systemOomKills: 9 },
      'in_order',
      'the runner ended in order: all runs have ended (exit code 0)',
    ],
    [
      'is an error that a person can act on',
      { ended: { how: 'error', ...ended, text: 'the bridge revoked the credentials', exitCode: 77 } },
      {},
      'error',
      'the runner ended with an error: the bridge revoked the credentials (exit code 77)',
    ],
    [
      'is a bug with its message',
      { ended: { how: 'crashed', ...ended, text: 'x is not a function', exitCode: null } },
      {},
      'crashed',
      'the runner crashed: x is not a function',
    ],
    [
      'is a third signal',
      { ended: { how: 'exited', ...ended, text: 'it did not finish', exitCode: 143 } },
      {},
      'exited',
      'the runner was ended at once: it did not finish (exit code 143)',
    ],
    [
      'is a restart where the boot id is another one',
      {},
      { bootId: 'boot-b', upMs: 60_000 },
      'restarted',
      `the machine was restarted at about 2026-11-24 12:09:00Z, ${alive}`,
    ],
    [
      'is a restart where there are no boot ids but the machine has been up for less time',
      { bootId: null },
      { bootId: null, upMs: 60_000 },
      'restarted',
      `the machine was restarted at about 2026-11-24 12:09:00Z, ${alive}`,
    ],
    [
      'is no restart where there are no boot ids and the machine has been up since',
      { bootId: null },
      { bootId: null },
      'killed',
      `the process was killed (from outside, or by a crash that left no message), ${alive}`,
    ],
    [
      'is another machine where host and boot id are other ones',
      {},
      { bootId: 'boot-b', host: 'shop-2' },
      'moved',
      `the runner was on another machine (shop-1) then, ${alive}`,
    ],
    [
      'is want of memory in its group',
      {},
      { systemOomKills: 8, group: { usedBytes: gib, limitBytes: 2 * gib, oomKills: 4 } },
      'out_of_memory',
      `the container or service ran out of memory and the system ended processes of it (it last used 2.0 GiB of 2.0 GiB; this runner last used 1.9 GiB), ${alive}`,
    ],
    [
      'is want of memory of the system',
      { group: null },
      { systemOomKills: 9 },
      'out_of_memory',
      `the system ran out of memory and ended processes (oom_kill rose from 7 to 9; this runner last used 1.9 GiB), ${alive}`,
    ],
    [
      'is not want of memory where the counter began anew',
      { group: null },
      { systemOomKills: 2 },
      'killed',
      `the process was killed (from outside, or by a crash that left no message), ${alive}`,
    ],
    [
      'is a full heap where it was full just before',
      { heap: { usedBytes: 3.95 * gib, limitBytes: 4 * gib } },
      {},
      'out_of_heap',
      `the process ended without a word when its JavaScript heap was nearly full (4.0 GiB of 4.0 GiB), ${alive}`,
    ],
    [
      'is the end of its container where the PID namespace is another one',
      {},
      { namespace: 'pid:[2]', host: 'fe12' },
      'moved',
      `the container of the runner was ended, ${alive}`,
    ],
    [
      'is want of memory rather than the end of its container, which it brings about',
      {},
      { namespace: 'pid:[2]', systemOomKills: 8, group: null },
      'out_of_memory',
      `the system ran out of memory and ended processes (oom_kill rose from 7 to 8; this runner last used 1.9 GiB), ${alive}`,
    ],
    [
      'is a kill from outside where nothing else is known',
      {},
      {},
      'killed',
      `the process was killed (from outside, or by a crash that left no message), ${alive}`,
    ],
    [
      'tells of a standstill just before',
      { lastStandstill: { kind: 'asleep', ms: 41 * 60_000, endedAt: '2026-11-24T11:59:30.000Z' } },
      {},
      'killed',
      `the process was killed (from outside, or by a crash that left no message), ${alive}; before that it stood still for 41 min 0 s until 2026-11-24 11:59:30Z (the machine slept)`,
    ],
    [
      'does not tell of one long before',
      { lastStandstill: { kind: 'asleep', ms: 41 * 60_000, endedAt: '2026-11-24T11:00:00.000Z' } },
      {},
      'killed',
      `the process was killed (from outside, or by a crash that left no message), ${alive}`,
    ],
  ])('%s', (_, lastOver, nowOver, kind, text) => {
    expect(whyEnded({ ...last, ...lastOver }, { ...now, ...nowOver })).toMatchObject({ kind, text });
  });
});
