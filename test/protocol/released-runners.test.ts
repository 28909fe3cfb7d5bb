import { readdirSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bridgeFixture } from '../support/bridge-fixture.ts';
import { replayRunner } from '../support/replay-runner.ts';
import { operatorRequest } from '../support/signed-client.ts';
import { releasedFolder } from '../support/wire-recording.ts';

// Runners live where nobody updates them: what each released version says must go on being understood, and what it is
// answered must be what it can read. A release adds a folder: node scripts/record-wire.js

const secrets = {
  workerSecret: 'a worker secret of the replay',
  managedSecret: 'a managed pairing secret of the replay',
};

/** What every release must have recorded: all that runners of today say. */
const said = [
  'redeemCode',
  'redeemManagedCode',
  'claimCredentials',
  'enrol',
  'runnerSelf',
  'retireSelf',
  'rotateCredentials',
  'control',
  'pollLeases',
  'heartbeat',
  'releaseLease',
  'postEvents',
  'requestUpload',
  'putBlob',
  'postResult',
];

describe.each(readdirSync(releasedFolder))('the runner of release %s', (version) => {
  it("is understood by today's bridge, and reads its answers", async () => {
    const fixture = await bridgeFixture({
      env: {
        WORKER_SECRET: secrets.workerSecret,
        QUALINET_ALLOW_MANAGED_PAIR: 'true',
        QUALINET_MANAGED_PAIR_SECRET: secrets.managedSecret,
      },
    });
    onTestFinished(() => fixture.end());
    const { replayed, runIds } = await replayRunner(version, fixture.bridge, secrets);
    const refused = replayed.filter(
      ({ recorded, status, faults }) => status !== recorded.status || faults.length > 0,
    );
    expect(refused).toEqual([]);
    expect([...new Set(replayed.map(({ recorded }) => recorded.route))].sort()).toEqual([...said].sort());

    const rows = await Promise.all(
      runIds.map(async (runId) => (await operatorRequest(fixture.bridge, 'GET', `/v1/runs/${runId}`)).body),
    );
    expect(rows.map(({ status }) => status)).toEqual([
      'passed',
      'failed',
      'cancelled',
      'passed',
      'cancelled',
      'cancelled',
      'cancelled',
    ]);
    expect(rows[1]).toMatchObject({
      stepsResult: [{}, { screenshotUrl: expect.stringContaining('/v1/blobs/') }],
    });
  });
});
