import { expect, it } from 'vitest';
import { drawSchedule, freshSeed, playRandomSchedule } from './random-schedules.ts';
import { scheduleText } from './schedule.ts';

// `npm run chaos` goes on with fresh seeds for as long as one likes; here are a few, two of them always the same.

const small = { runs: 5, faults: 8, windowMs: 5_000, runners: 2, concurrency: 2 };

for (const { name, seed, servers } of [
  { name: 'the embedded default', seed: 4, servers: false },
  { name: "a backend's servers", seed: 7, servers: true },
  { name: 'the embedded default, with a fresh seed', seed: freshSeed(), servers: false },
]) {
  it(`every promise is kept through a random schedule on ${name}`, async () => {
    const { schedule, broken } = await playRandomSchedule({ seed }, { ...small, servers });
    const again = `npm run chaos -- --seed ${seed} --stores ${servers ? 'servers' : 'embedded'} --runs ${small.runs} --faults ${small.faults} --window ${small.windowMs}`;
    expect(broken, `${again}\n${scheduleText(schedule).join('\n')}`).toEqual([]);
  }, 240_000);
}

it('the same seed gives the same schedule', () => {
  const draw = (path: string) => drawSchedule({ seed: 42, path }, { ...small, servers: true });
  expect(draw('0')).toEqual(draw('0'));
  expect(draw('3')).toEqual(draw('3'));
  expect(draw('3')).not.toEqual(draw('0'));
});
