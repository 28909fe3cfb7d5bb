import { mkdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openStatusFile, readStatusFile } from '../../src/agent/status-file.ts';
import { silentLog } from '../../src/lib/log.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { untilTrue } from './agent-fixture.ts';

const about = { pid: 1, version: '1.2.3', runnerId: 'r' };

it('a status that cannot be written for a while is written as soon as it can be, and told once', async () => {
  const clock = new ManualClock();
  const home = await tempFolder();
  const warnings: string[] = [];
  // A file cannot take the place of a folder.
  await mkdir(join(home, 'status.json'));
  const log = { ...silentLog, warn: (line: string) => void warnings.push(line) };
  const status = openStatusFile(home, about, { clock, log });
  status.onEvent({ type: 'connected' });
  await untilTrue(() => clock.sleepers === 1);
  for (let tries = 0; tries < 3; tries += 1) {
    await clock.advance(10_000);
    await untilTrue(() => clock.sleepers === 1);
  }
  expect(warnings).toEqual([expect.stringContaining('cannot write the status file')]);
  await rmdir(join(home, 'status.json'));
  await clock.advance(10_000);
  await untilTrue(() => clock.sleepers === 1);
  expect(await readStatusFile(home)).toMatchObject({ state: 'waiting' });
  await status.close();
  expect(await readStatusFile(home)).toMatchObject({ state: 'ended' });
  expect(clock.sleepers).toBe(0);
});

it('a runner whose status can never be written ends all the same', async () => {
  const clock = new ManualClock();
  const home = await tempFolder();
  await mkdir(join(home, 'status.json'));
  const status = openStatusFile(home, about, { clock, log: silentLog });
  await untilTrue(() => clock.sleepers === 1);
  await status.close();
  expect(clock.sleepers).toBe(0);
});
