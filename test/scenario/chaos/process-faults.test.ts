import { expect, it, onTestFinished } from 'vitest';
import { until } from '../../support/until.ts';
import type { ChaosRunner } from './chaos-runner.ts';
import { type ChaosRun, type Fleet, type FleetOptions, startFleet } from './fleet.ts';
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

it('a run whose browser is killed is executed again at once, in a new one', async () => {
  const { fleet, first } = await oneRunner();
  await first.start();
  const run = await fleet.submit('long');
  await actsOf(fleet, run);
  await killIn(first, 'browser');
  expect(await fleet.finalRow(run)).toMatchObject({
    status: 'passed',
    attempt: 2,
    lastEndReason: expect.stringMatching(/^interrupted/),
  });
  expect(await brokenPromises(fleet)).toEqual([]);
}, 90_000);

it('a run whose page crashes ends, and the next one gets a clean browser', async () => {
  const { fleet, first } = await oneRunner();
  await first.start();
  const run = await fleet.submit('long');
  await actsOf(fleet, run);
  await killIn(first, 'renderer');
  await fleet.finalRow(run);
  expect(await fleet.finalRow(await fleet.submit('buy'))).toMatchObject({ status: 'passed', attempt: 1 });
}, 90_000);

it('a run whose runner is killed is executed again only where that does nothing twice', async () => {
  const { fleet, first } = await oneRunner();
  await first.start();
  const ends = [
    {
      run: await fleet.submit('long', 'auto'),
      end: { status: 'failed', error: { code: 'not_redelivered' } },
    },
    {
      run: await fleet.submit('long', 'fail'),
      end: { status: 'failed', error: { code: 'not_redelivered' } },
    },
    { run: await fleet.submit('look', 'auto'), end: { status: 'passed', attempt: 2 } },
  ];
  for (const { run, end } of ends) {
    await actsOf(fleet, run, run.flow === 'look' ? 'open' : 'add');
    await first.kill();
    await first.start();
    expect(await fleet.finalRow(run)).toMatchObject(end);
  }
  expect(await brokenPromises(fleet)).toEqual([]);
}, 90_000);

it('a disk without room ends no run, and the runner says so', async () => {
  const { fleet, first } = await oneRunner();
  await first.start();
  for (const kinds of [['pictures'], ['pictures', 'events'], ['all']] as const) {
    await first.order({ full: kinds });
    const said = first.lines.length;
    const row = await fleet.finalRow(await fleet.submit('wrong'));
    expect(row).toMatchObject({ status: 'failed', attempt: 1, error: null });
    expect(row.stepsResult, kinds.join()).toHaveLength(3);
    await until(`the runner says that there was no room for ${kinds.join()}`, () =>
      /no space left|ENOSPC/i.test(`${first.lines.slice(said).join()}${JSON.stringify(row.stepsResult)}`),
    );
  }
  expect(await brokenPromises(fleet)).toEqual([]);
}, 90_000);

it('a machine whose clock is two hours off works, also when the clock moves during a run', async () => {
  const { fleet, first } = await oneRunner();
  for (const clockOffsetMs of [2 * 3_600_000, -2 * 3_600_000]) {
    await first.start({ clockOffsetMs });
    expect(await fleet.finalRow(await fleet.submit('buy'))).toMatchObject({ status: 'passed', attempt: 1 });
    const moved = await fleet.submit('long');
    await actsOf(fleet, moved);
    await first.order({ clockOffsetMs: 0 });
    expect(await fleet.finalRow(moved)).toMatchObject({ status: 'passed', attempt: 1 });
    await first.stop();
  }
  await first.start();
  expect(await brokenPromises(fleet)).toEqual([]);
}, 90_000);

async function actsOf({ shop }: Fleet, { tag }: ChaosRun, what = 'add'): Promise<void> {
  await until(`${tag} acts`, () => shop.acts.some((act) => act.run === tag && act.what === what));
}

async function killIn({ place }: ChaosRunner, kind: 'browser' | 'renderer'): Promise<void> {
  const pid = await browserProcess(place, kind);
  if (pid === null) throw new Error(`there is no ${kind}`);
  process.kill(pid, 'SIGKILL');
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
