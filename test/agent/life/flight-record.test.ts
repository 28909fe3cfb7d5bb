import type { EventEmitter } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type FlightDeps, systemFlightDeps } from '../../../src/agent/life/flight-deps.ts';
import { openFlightRecord } from '../../../src/agent/life/flight-record.ts';
import { type FlightSnapshot, snapshotSchema } from '../../../src/agent/life/flight-snapshot.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { CredentialsRejectedError } from '../../../src/lib/errors.ts';
import { type Log, silentLog } from '../../../src/lib/log.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { until } from '../../support/until.ts';

const runId = '4d6f7c1e-0000-4000-8000-000000000001';
const started = { type: 'run_started', runId, name: null, attempt: 1, steps: 1, isStraight: true } as const;

/** A machine whose files, clocks and process a test moves. */
function machine() {
  const clock = new ManualClock();
  const files: Record<string, string> = {
    '/proc/sys/kernel/random/boot_id': 'boot-a\n',
    '/proc/uptime': '100.00 50.00\n',
    '/proc/vmstat': 'pgfault 1\noom_kill 0\n',
    '/proc/self/cgroup': '0::/runner.service\n',
    '/sys/fs/cgroup/runner.service/memory.current': '1000\n',
    '/sys/fs/cgroup/runner.service/memory.max': '2147483648\n',
    '/sys/fs/cgroup/runner.service/memory.events': 'low 0\noom 0\noom_kill 0\n',
  };
  const crash = new Set<(error: unknown) => void>();
  const exit = new Set<(code: number) => void>();
  const warnings: string[] = [];
  const log: Log = { ...silentLog, warn: (message) => warnings.push(message) };
  const subscribed =
    <T>(listeners: Set<T>) =>
    (listener: T) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    };
  const deps: FlightDeps = {
    clock,
    log,
    // A file of its home is a real one, as always.
    readText: async (path) => files[path] ?? null,
    awakeMs: () => clock.monotonicMs(),
    processorMs: () => 0,
    onCrash: subscribed(crash),
    onExit: subscribed(exit),
  };
  return { clock, files, deps, warnings, crash, exit };
}

async function life(home: string, { deps }: ReturnType<typeof machine>) {
  const record = await openFlightRecord(home, '1.2.3', deps);
  onTestFinished(() => record.close({ reason: 'the test is over', exitCode: 0 }));
  return record;
}

async function snapshotIn(home: string): Promise<FlightSnapshot> {
  return snapshotSchema.parse(JSON.parse(await readFile(join(home, 'flight-record.json'), 'utf8')));
}

describe('a flight record', () => {
  it('knows nothing of a life before the first one', async () => {
    const home = await tempFolder();
    const record = await life(home, machine());
    expect(record.lastEnd).toBeNull();
    expect(await snapshotIn(home)).toMatchObject({
      version: '1.2.3',
      pid: process.pid,
      bootId: 'boot-a',
      upMs: 100_000,
      systemOomKills: 0,
      group: { usedBytes: 1_000, limitBytes: 2 ** 31, oomKills: 0 },
      ended: null,
    });
  });

  it.each(['', '{"version":', '{"version":"1.1.0"}', '[]', '\0\0\0\0'])(
    'takes a damaged file (%j) as no word at all',
    async (text) => {
      const home = await tempFolder();
      await writeFile(join(home, 'flight-record.json'), text);
      expect((await life(home, machine())).lastEnd).toBeNull();
      expect(await snapshotIn(home)).toMatchObject({ ended: null });
    },
  );

  it('says that a life was killed, on the runs that it had begun and on no other', async () => {
    const home = await tempFolder();
    const all = machine();
    const first = await life(home, all);
    first.onEvent(started);
    first.onEvent({ ...started, runId: 'over' });
    first.onEvent({
      type: 'run_ended',
      runId: 'over',
      end: { kind: 'delivered', status: 'passed' },
      durationMs: 1,
    });
    await all.clock.advance(1_000);
    await until('the run is on disk', async () => (await snapshotIn(home)).runs.length === 1);
    const second = await life(home, machine());
    expect(second.lastEnd).toMatchObject({ kind: 'killed' });
    expect(second.whyInterrupted(runId)).toContain(
      'was killed (from outside, or by a crash that left no message), last alive at 2026-11-24 10:00:01Z',
    );
  });

  it('still knows why a run was interrupted when the life after it could not tell the bridge', async () => {
    const home = await tempFolder();
    const all = machine();
    const first = await life(home, all);
    first.onEvent(started);
    await all.clock.advance(1_000);
    await until('the run is on disk', async () => (await snapshotIn(home)).runs.length === 1);
    const restarted = machine();
    restarted.files['/proc/sys/kernel/random/boot_id'] = 'boot-b';
    const second = await life(home, restarted);
    await second.close({ reason: 'all runs have ended', exitCode: 0 });
    const third = await life(home, restarted);
    expect(third.lastEnd).toMatchObject({ kind: 'in_order' });
    expect(third.whyInterrupted(runId)).toContain('the machine was restarted');
    third.onEvent({ type: 'debt_ended', runId, end: { kind: 'released', reason: 'interrupted' } });
    await restarted.clock.advance(1_000);
    await until('it is forgotten', async () => (await snapshotIn(home)).interrupted[runId] === undefined);
  });

  it('says that the system ran out of memory when a counter rose after the last look', async () => {
    const home = await tempFolder();
    const all = machine();
    all.files['/proc/vmstat'] = 'oom_kill 4\n';
    await life(home, all);
    // Nobody's end: the runner was alive and looked after it.
    all.files['/proc/vmstat'] = 'oom_kill 5\n';
    await all.clock.advance(6_000);
    await until('it looked', async () => (await snapshotIn(home)).systemOomKills === 5);
    expect((await life(home, all)).lastEnd).toMatchObject({ kind: 'killed' });
    all.files['/sys/fs/cgroup/runner.service/memory.events'] = 'oom 1\noom_kill 1\n';
    expect((await life(home, all)).lastEnd).toMatchObject({
      kind: 'out_of_memory',
      text: expect.stringContaining('it last used 0 MiB of 2.0 GiB'),
    });
  });

  it('reads the memory of a group of version 1, and none where there is none', async () => {
    const home = await tempFolder();
    const all = machine();
    all.files['/proc/self/cgroup'] = '4:memory:/docker/abc\n0::/\n';
    all.files['/sys/fs/cgroup/memory/memory.usage_in_bytes'] = '77\n';
    all.files['/sys/fs/cgroup/memory/memory.limit_in_bytes'] = '9223372036854771712\n';
    all.files['/sys/fs/cgroup/memory/memory.oom_control'] = 'oom_kill_disable 0\nunder_oom 0\noom_kill 2\n';
    await life(home, all);
    expect((await snapshotIn(home)).group).toEqual({ usedBytes: 77, limitBytes: null, oomKills: 2 });
    const none = machine();
    for (const path of Object.keys(none.files)) delete none.files[path];
    await life(home, none);
    expect(await snapshotIn(home)).toMatchObject({ group: null, bootId: null, systemOomKills: null });
  });

  it('tells of a machine that slept', async () => {
    const home = await tempFolder();
    const all = machine();
    await life(home, all);
    all.files['/proc/uptime'] = '2560.00 1.00\n';
    await all.clock.advance(1_000);
    await until('the sleep is on disk', async () => (await snapshotIn(home)).longestStandstill !== null);
    expect(await snapshotIn(home)).toMatchObject({ lastStandstill: { kind: 'asleep', ms: 2_459_000 } });
    expect((await life(home, all)).lastEnd?.text).toContain('stood still for 40 min 59 s');
  });

  it('keeps how a life ended: in order, with an error, by a bug, or at once', async () => {
    const home = await tempFolder();
    const all = machine();
    const inOrder = await life(home, all);
    await inOrder.close({ reason: 'all runs have ended', exitCode: 0 });
    expect([all.crash.size, all.exit.size, all.clock.sleepers]).toEqual([0, 0, 0]);
    const withError = await life(home, all);
    expect(withError.lastEnd).toMatchObject({ kind: 'in_order' });
    await withError.close({ error: new CredentialsRejectedError('the credentials were revoked') });
    const withBug = await life(home, all);
    expect(withBug.lastEnd?.text).toBe(
      'the runner ended with an error: the credentials were revoked (exit code 77)',
    );
    for (const listener of all.crash) listener(new TypeError('x is not a function'));
    for (const listener of all.exit) listener(1);
    const atOnce = await life(home, all);
    expect(atOnce.lastEnd?.text).toBe('the runner crashed: x is not a function');
    for (const listener of all.exit) listener(143);
    expect((await life(home, all)).lastEnd).toMatchObject({
      kind: 'exited',
      text: expect.stringContaining('143'),
    });
  });

  it('keeps nothing secret of an address in an error', async () => {
    const home = await tempFolder();
    const all = machine();
    const first = await life(home, all);
    await first.close({
      error: new Error(
        'cannot reach https://ada:hunter2@proxy.test/a?token=hunter2\nhttps://b.test/#hunter2',
      ),
    });
    expect(await readFile(join(home, 'flight-record.json'), 'utf8')).not.toContain('hunter2');
    expect((await life(home, all)).lastEnd?.text).toBe(
      'the runner crashed: cannot reach https://proxy.test/a https://b.test/',
    );
  });

  it('of this machine hears of errors that nobody caught, and of exits', () => {
    const { onCrash, onExit } = systemFlightDeps({ clock: systemClock, log: silentLog });
    const heard: unknown[] = [];
    const before = process.listenerCount('exit');
    const stop = [onCrash((error) => heard.push(error)), onExit((code) => heard.push(code))];
    // As Node does it; the types of this event name no way to.
    (process as EventEmitter).emit('uncaughtExceptionMonitor', new Error('nobody caught it'));
    expect(heard).toEqual([new Error('nobody caught it')]);
    expect(process.listenerCount('exit')).toBe(before + 1);
    for (const unsubscribe of stop) unsubscribe();
    expect(process.listenerCount('exit')).toBe(before);
    expect(process.listenerCount('uncaughtExceptionMonitor')).toBe(0);
  });

  it('that cannot be written stops nothing and is told once', async () => {
    const home = await tempFolder();
    const all = machine();
    const record = await life(home, all);
    await rm(home, { recursive: true });
    record.onEvent(started);
    await all.clock.advance(1_000);
    await until('it is told', () => all.warnings.length > 0);
    await all.clock.advance(20_000);
    await record.close({ reason: 'all runs have ended', exitCode: 0 });
    expect(all.warnings).toEqual([expect.stringContaining('cannot write')]);
  });
});
