import { expect, it, onTestFinished } from 'vitest';
import { until } from '../../support/until.ts';
import { type Fleet, type FleetOptions, startFleet } from './fleet.ts';
import { brokenPromises } from './invariants.ts';
import { browserProcess } from './processes-of.ts';

// What happens to the process and its machine while a run is under way.

it('a runner that sleeps past the end of its lease does nothing more on the page when it wakes', async () => {
  const { fleet, first, second } = await twoRunners();
  await first.start();
  const run = await fleet.submit('long');
  await until('the first attempt acts', () => fleet.shop.acts.some(({ what }) => what === 'add'));
  first.signal('SIGSTOP');
  await second.start();
  await until('the second attempt acts', () => fleet.shop.attemptsOf(run.tag).length === 2, 30_000);
  const asleep = fleet.shop.attemptsOf(run.tag)[0];
  const before = fleet.shop.acts.filter(({ attempt }) => attempt === asleep).length;
  first.signal('SIGCONT');
  expect(await fleet.finalRow(run)).toMatchObject({ status: 'passed', attempt: 2, lastEndReason: 'expired' });
  expect(await brokenPromises(fleet)).toEqual([]);
  expect(fleet.shop.acts.filter(({ attempt }) => attempt === asleep)).toHaveLength(before);
}, 90_000);

for (const kind of ['browser', 'renderer'] as const) {
  it(`a run whose ${kind} is killed is executed again at once, in a new one`, async () => {
    const { fleet, first } = await oneRunner();
    await first.start();
    const run = await fleet.submit('long');
    await until('the attempt acts', () => fleet.shop.acts.some(({ what }) => what === 'add'));
    const pid = await browserProcess(first.place, kind);
    if (pid === null) throw new Error(`there is no ${kind}`);
    process.kill(pid, 'SIGKILL');
    const row = await fleet.finalRow(run);
    expect(row).toMatchObject({
      status: 'passed',
      attempt: 2,
      lastEndReason: expect.stringMatching(/^interrupted/),
    });
    expect(await brokenPromises(fleet)).toEqual([]);
  }, 90_000);
}

it('a run with side effects that may not be repeated fails when its runner is killed, and says why', async () => {
  const { fleet, first } = await oneRunner();
  await first.start();
  const runs = [await fleet.submit('long', 'auto'), await fleet.submit('long', 'fail')];
  for (const run of runs) {
    await first.start();
    await until('it acts', () =>
      fleet.shop.acts.some(({ what, ...act }) => act.run === run.tag && what === 'add'),
    );
    await first.kill();
    await first.start();
    expect(await fleet.finalRow(run)).toMatchObject({ status: 'failed', error: { code: 'not_redelivered' } });
  }
  expect(await brokenPromises(fleet)).toEqual([]);
}, 90_000);

it('a run that only looked is executed again with `auto` when its runner is killed', async () => {
  const { fleet, first } = await oneRunner();
  await first.start();
  const run = await fleet.submit('look', 'auto');
  await until('it looks', () => fleet.shop.acts.length > 0);
  await first.kill();
  await first.start();
  expect(await fleet.finalRow(run)).toMatchObject({ status: 'passed', attempt: 2 });
  expect(await brokenPromises(fleet)).toEqual([]);
}, 90_000);

for (const [kinds, what] of [
  [['pictures'], 'pictures'],
  [['pictures', 'events'], 'pictures and events'],
  [['all'], 'anything'],
] as const) {
  it(`a disk that has no room for ${what} ends no run, and the runner says so`, async () => {
    const { fleet, first } = await oneRunner();
    await first.start({ full: kinds });
    const run = await fleet.submit('wrong');
    const row = await fleet.finalRow(run);
    expect(row).toMatchObject({ status: 'failed', attempt: 1, error: null });
    expect(row.stepsResult).toHaveLength(3);
    expect(first.lines.join('\n')).toMatch(/no space left|disk is full|ENOSPC/i);
    expect(await brokenPromises(fleet)).toEqual([]);
  }, 90_000);
}

for (const [hours, what] of [
  [2, 'ahead'],
  [-2, 'behind'],
] as const) {
  it(`a machine whose clock is two hours ${what} works, before and after the clock moves`, async () => {
    const { fleet, first } = await oneRunner();
    await first.start({ clockOffsetMs: hours * 3_600_000 });
    await fleet.finalRow(await fleet.submit('buy'));
    const moved = await fleet.submit('long');
    await until('it acts', () =>
      fleet.shop.acts.some(({ what, run }) => run === moved.tag && what === 'add'),
    );
    await first.order({ clockOffsetMs: 0 });
    expect(await fleet.finalRow(moved)).toMatchObject({ status: 'passed', attempt: 1 });
    expect(await brokenPromises(fleet)).toEqual([]);
  }, 90_000);
}

async function oneRunner(options: FleetOptions = {}) {
  const fleet = await startFleet(options);
  onTestFinished(() => fleet.stop());
  return { fleet, first: runnerOf(fleet, 0) };
}

async function twoRunners() {
  const { fleet, first } = await oneRunner({ runners: 2 });
  return { fleet, first, second: runnerOf(fleet, 1) };
}

function runnerOf({ runners }: Fleet, index: number) {
  const runner = runners[index];
  if (runner === undefined) throw new Error(`there is no runner ${index}`);
  return runner;
}
