import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { enrolRunner } from '../../../src/agent/credentials/enrol.ts';
import { describeHost } from '../../../src/agent/credentials/host.ts';
import { BridgeUnavailableError } from '../../../src/lib/errors.ts';
import { Secret } from '../../../src/lib/secret.ts';
import { workerSecret } from '../../support/fake-bridge.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { fixture } from '../agent-fixture.ts';

async function enrolment(secret: Secret, home: string) {
  const clock = new ManualClock();
  const base = await fixture({ clock });
  const enrol = () =>
    enrolRunner(
      {
        home,
        apiBaseUrl: base.bridge.url,
        workerSecret: secret,
        host: describeHost('1.2.3'),
        name: null,
        labels: [],
      },
      {
        transport: base.transport,
        clock,
        random: () => 0,
        log: base.log,
        version: '1.2.3',
        signal: new AbortController().signal,
      },
    );
  return { ...base, clock, enrol };
}

describe('a container with WORKER_SECRET', () => {
  it('derives its key instead of receiving one, and is the same runner at its next start', async () => {
    const home = await tempFolder();
    const { bridge, enrol } = await enrolment(workerSecret, home);
    const first = await enrol();
    expect(bridge.of('enrol')[0]?.keyid).toBe(`ws1.${first.runnerId}`);
    expect(first.keys[0]?.secret.reveal()).toBe(bridge.keyOf(first.runnerId, 1).secret.reveal());
    expect((await enrol()).runnerId).toBe(first.runnerId);
  });

  it.each([-2, 2])('enrols with a clock that is %d hours off', async (hours) => {
    const { bridge, clock, enrol } = await enrolment(workerSecret, await tempFolder());
    bridge.nowMs = () => clock.nowMs() + hours * 3_600_000;
    expect((await enrol()).keys).toHaveLength(1);
  });

  it('works with a home that cannot be written, as a new runner each time', async () => {
    const home = join(await tempFolder(), 'home');
    await symlink(join(home, '../nowhere/deeper'), home);
    const { enrol, log } = await enrolment(workerSecret, home);
    expect((await enrol()).runnerId).not.toBe((await enrol()).runnerId);
    expect(log.lines.join()).toContain('new id');
  });

  it('with the wrong secret says that the secret is wrong, after some tries', async () => {
    const { bridge, enrol } = await enrolment(new Secret('some other worker secret'), await tempFolder());
    const error = await enrol().catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(BridgeUnavailableError);
    expect(error).toMatchObject({ hint: expect.stringContaining('WORKER_SECRET must be the same') });
    expect(bridge.of('enrol')).toHaveLength(6);
  });
});
