import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChildProgram } from '../../src/demo/child-program.ts';
import { type DemoSite, startDemoSite } from '../../src/demo/demo-site.ts';
import type { StepResult } from '../../src/protocol/run-result.ts';
import { chain } from '../support/chain.ts';
import { type S3Stub, startS3Stub, testAccount } from '../support/s3-stub.ts';
import { type BridgeProcess, pairRunner, startBridgeProcess, startRunnerProcess } from '../support/system.ts';
import { suiteFolder } from '../support/temp-folder.ts';

// A bridge process with a bucket, a runner process, a site, real Chromium. The tests follow one another.

describe('a picture of a failing step', () => {
  const folder = suiteFolder();
  const publicUrl = 'https://pictures.example.com/failures';
  let stub: S3Stub;
  let site: DemoSite;
  let bridge: BridgeProcess;
  let runner: ChildProgram;

  beforeAll(async () => {
    stub = await startS3Stub();
    site = await startDemoSite();
    bridge = await startBridgeProcess(join(folder(), 'bridge'), {
      B2_BUCKET_NAME: stub.bucket,
      B2_ENDPOINT: stub.url,
      B2_REGION: testAccount.region,
      B2_KEY_ID: testAccount.keyId,
      B2_APPLICATION_KEY: testAccount.applicationKey,
      B2_PUBLIC_URL: publicUrl,
    });
    await pairRunner(bridge, join(folder(), 'runner'));
    runner = startRunnerProcess(join(folder(), 'runner'));
  });
  afterAll(async () => {
    await runner?.stop();
    await bridge?.program.stop();
    await site?.close();
    await stub?.close();
  });

  /** The failing step as the row has it, and the update that told of it. */
  async function fail(): Promise<{ step: StepResult | undefined; told: unknown }> {
    const runId = await bridge.submit(
      chain(
        { id: 'open', type: 'navigate', data: { url: site.url } },
        { id: 'wrong', type: 'assertion', data: { selector: 'h1', value: 'Coffee', timeoutMs: 300 } },
      ),
    );
    const updates = await bridge.follow(runId);
    const { status, stepsResult } = await bridge.read(runId);
    expect(status).toBe('failed');
    return { step: stepsResult?.at(-1), told: updates.at(-2) };
  }

  it('is put into the bucket by the runner, and row and update name its public address', async () => {
    const { step, told } = await fail();
    const [[key, { bytes, contentType }]] = [...stub.objects] as [
      [string, { bytes: Buffer; contentType: string }],
    ];
    expect(stub.refusals).toEqual([]);
    expect(key).toContain(createHash('sha256').update(bytes).digest('hex'));
    expect([bytes.subarray(1, 4).toString(), contentType]).toEqual(['PNG', 'image/png']);
    expect(step).toMatchObject({ nodeId: 'wrong', screenshotUrl: `${publicUrl}/${key}` });
    expect(told).toMatchObject({ type: 'step_complete', screenshotUrl: `${publicUrl}/${key}` });
  });

  it('is missing while the bucket fails, and the row says why', async () => {
    stub.become(500);
    const { step, told } = await fail();
    expect(step).not.toHaveProperty('screenshotUrl');
    expect(step).toMatchObject({
      screenshotProblem: expect.stringContaining('answered 500 (InternalError)'),
    });
    expect(told).not.toHaveProperty('screenshotUrl');
    stub.become('well');
    expect((await fail()).step).toHaveProperty('screenshotUrl');
  });

  it('is missing when the bucket is gone, and the row says why', async () => {
    await stub.close();
    const { step } = await fail();
    expect(step).not.toHaveProperty('screenshotUrl');
    expect(step).toMatchObject({ screenshotProblem: expect.stringContaining('ECONNREFUSED') });
  });
});
