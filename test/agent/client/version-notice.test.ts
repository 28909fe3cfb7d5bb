import { describe, expect, it } from 'vitest';
import { UpgradeRequiredError } from '../../../src/agent/client/bridge-errors.ts';
import { createVersionNotice } from '../../../src/agent/client/version-notice.ts';
import { type ProblemDetails, problemBody } from '../../../src/protocol/problem.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { fixture } from '../agent-fixture.ts';

const notice = { minVersion: '2.0.0', from: '2027-01-31T00:00:00.000Z' };

describe('the announced end of a version', () => {
  it('is warned of once a day, however many polls repeat it, and at once when it changes', async () => {
    const clock = new ManualClock();
    const { log } = await fixture({ clock });
    const note = createVersionNotice({ clock, log, version: '1.1.0' });
    for (let hour = 0; hour < 47; hour += 1) {
      note(notice);
      note(undefined);
      await clock.advance(3_600_000);
    }
    expect(log.lines).toHaveLength(2);
    expect(log.lines[0]).toMatch(
      /warn: from 2027-01-31.* version 2.0.0 or newer; this runner is 1.1.0.*npm install/,
    );
    note({ ...notice, from: '2026-12-31T00:00:00.000Z' });
    expect(log.lines).toHaveLength(3);
  });

  it('is warned of once a day also where two bridges announce different ones', async () => {
    const clock = new ManualClock();
    const { log } = await fixture({ clock });
    const note = createVersionNotice({ clock, log, version: '1.1.0' });
    for (let polls = 0; polls < 50; polls += 1) {
      note(notice);
      note({ ...notice, minVersion: '2.1.0' });
    }
    expect(log.lines).toHaveLength(2);
  });
});

describe('a runner that is refused for its version', () => {
  async function refused(details: ProblemDetails): Promise<UpgradeRequiredError> {
    const { bridge, client } = await fixture();
    const body = JSON.stringify(problemBody('upgrade_required', details));
    bridge.script('runnerSelf', {
      raw: { status: 426, type: 'application/problem+json', body, isSigned: true },
    });
    const error = await client.call('runnerSelf').catch((caught: unknown) => caught);
    if (!(error instanceof UpgradeRequiredError)) throw error;
    return error;
  }

  it('says which version is needed, since when, and what to type; it ends with 78', async () => {
    const error = await refused({
      minVersion: '2.0.0',
      since: '2027-01-31T00:00:00.000Z',
      detail: 'too old',
    });
    expect(error.message).toContain('version 2.0.0 or newer is needed since 2027-01-31');
    expect(error.hint).toContain('npm install -g @qualitas-id/qualinet@latest');
    expect(error.exitCode).toBe(78);
  });

  it('by a bridge that is older than itself is not told to install a newer one', async () => {
    const error = await refused({ protocol: 0, since: '2026-01-01' });
    expect(error.message).toContain('the bridge is older than this runner');
    expect(error.hint).not.toContain('latest');
  });
});
