import { sql } from 'drizzle-orm';
import { expect, it } from 'vitest';
import { bridgeLog } from '../../src/bridge/bridge-log.ts';
import { openPool } from '../../src/bridge/distributed/pool.ts';
import { createOutages } from '../../src/bridge/outages.ts';
import { jsonLog, silentLog } from '../../src/lib/log.ts';
import { Secret } from '../../src/lib/secret.ts';
import { backendDatabase } from '../support/backend-database.ts';

function keptLog() {
  const lines: Record<string, unknown>[] = [];
  return { lines, log: jsonLog((line) => lines.push(JSON.parse(line) as Record<string, unknown>)) };
}

it('an outage is told once, and over when every server answers', async () => {
  const { lines, log } = keptLog();
  let isAway = true;
  const check = async (): Promise<void> => {
    if (isAway) throw new Error('still away');
  };
  const outages = createOutages({ dependencies: [{ name: 'redis', check }], log });
  const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  expect(outages.note(new TypeError('a bug'))).toBe(false);
  for (let time = 0; time < 3; time += 1) expect(outages.note(refused)).toBe(true);
  await outages.look();
  isAway = false;
  await outages.look();
  await outages.look();
  expect(outages.note(refused)).toBe(true);
  expect(lines.map(({ level, error }) => [level, error])).toEqual([
    ['error', 'connect ECONNREFUSED'],
    ['info', undefined],
    ['error', 'connect ECONNREFUSED'],
  ]);
});

it('a statement that failed is logged by its cause, without what was in it', async () => {
  const { lines, log } = keptLog();
  const database = await backendDatabase();
  const pool = await openPool(new Secret(database.url), { log: silentLog });
  try {
    const error = await pool.db
      .execute(sql`select * from nothing_of_that_name where x = ${'hunter2'}`)
      .catch((thrown: unknown) => thrown);
    expect(String(error)).toContain('hunter2');
    bridgeLog(log).error('the sweep failed', { error, runId: 'a run' });
    expect(lines).toMatchObject([
      {
        error: 'relation "nothing_of_that_name" does not exist',
        runId: 'a run',
        message: 'the sweep failed',
      },
    ]);
    expect(JSON.stringify(lines)).not.toContain('hunter2');
  } finally {
    await pool.close();
    await database.drop();
  }
});
