import { expect, it } from 'vitest';
import { startSweeps } from '../../src/bridge/sweeps.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLog } from '../../src/lib/log.ts';
import { until } from '../support/until.ts';

it('a bridge that ends while the database hangs waits for one statement, and begins nothing else', async () => {
  const asked: string[] = [];
  let giveUp = (): void => {};
  const hanging = new Promise((_, reject) => {
    giveUp = () => reject(new Error('Query read timeout'));
  });
  const later = async (what: string): Promise<void> => void asked.push(what);
  const sweeps = startSweeps({
    clock: systemClock,
    timing: { sweepMs: 1 },
    db: {
      execute() {
        asked.push('database');
        return hanging;
      },
    },
    now: () => 'now()',
    teller: { sweep: () => later('endings') },
    dispatcher: { sweep: () => later('polls') },
    outages: { note: () => true, look: () => later('outages') },
    log: silentLog,
  } as unknown as Parameters<typeof startSweeps>[0]);
  await until('it waits for the database', () => asked.length > 0);
  const stopped = sweeps.stop();
  giveUp();
  await stopped;
  expect(asked).toEqual(['database']);
});
