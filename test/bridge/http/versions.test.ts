import { describe, expect, it, onTestFinished } from 'vitest';
import { bridgeFixture } from '../../support/bridge-fixture.ts';
import { pairRunner, testCapabilities } from '../../support/signed-client.ts';

async function poll(env: Record<string, string>, capabilities: Partial<typeof testCapabilities>) {
  const fixture = await bridgeFixture({ env });
  onTestFinished(() => fixture.end());
  const { client } = await pairRunner(fixture.bridge.url, fixture.bridge.adminToken);
  const body = { slots: 1, waitMs: 0, capabilities: { ...testCapabilities, ...capabilities } };
  return { answer: await client.send('pollLeases', { body }), client };
}

function endOf(minVersion: string, from: string): Record<string, string> {
  return { QUALINET_MIN_RUNNER_VERSION: minVersion, QUALINET_MIN_RUNNER_FROM: from };
}

describe('a runner of another version', () => {
  it('that speaks an older protocol is told both versions, which release it needs, and since when', async () => {
    const { answer } = await poll({}, { protocol: 99 });
    expect(answer).toMatchObject({ status: 426, isSigned: true, body: { protocol: 1, since: '2026-11-24' } });
    expect(answer.body['detail']).toMatch(
      /version 1 of the protocol since 2026-11-24, the runner version 99: the bridge is the older/,
    );
    expect(answer.body).not.toHaveProperty('minVersion');
  });

  it('that operators let end is told so until the day, with its runs, and refused with the date from then on', async () => {
    const early = await poll(endOf('1.2.0', '2100-01-31'), { qualinetVersion: '1.1.9' });
    const notice = { minVersion: '1.2.0', from: '2100-01-31T00:00:00.000Z' };
    expect(early.answer).toMatchObject({ status: 200, body: { leases: [], notice } });
    expect(await early.client.call('runnerSelf')).toMatchObject({ notice });

    const late = await poll(endOf('1.2.0', '2026-01-31T12:00:00+02:00'), { qualinetVersion: '1.1.9' });
    const since = '2026-01-31T10:00:00.000Z';
    expect(late.answer).toMatchObject({
      status: 426,
      isSigned: true,
      body: { code: 'upgrade_required', minVersion: '1.2.0', since },
    });
    expect(late.answer.body['detail']).toContain(`since ${since}; this one is 1.1.9`);
    // What it still owes is taken: only new runs are not given.
    expect(await late.client.call('runnerSelf')).toMatchObject({ generation: 1 });
  });

  it.each(['1.2.0', '1.2.1', '1.10.0', '2.0.0', '1.3.0-beta.1'])(
    'that is new enough (%s) hears nothing of it',
    async (qualinetVersion) => {
      const { answer } = await poll(endOf('1.2.0', '2020-01-01'), { qualinetVersion });
      expect(answer).toMatchObject({ status: 200 });
      expect(answer.body).not.toHaveProperty('notice');
    },
  );

  it.each(['1.2.0-beta.1', '0.9.0', 'unknown'])(
    'that is older or none (%s) is refused',
    async (qualinetVersion) => {
      expect((await poll(endOf('1.2.0', '2020-01-01'), { qualinetVersion })).answer.status).toBe(426);
    },
  );
});
