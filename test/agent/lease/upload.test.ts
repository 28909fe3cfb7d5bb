import { describe, expect, it, onTestFinished } from 'vitest';
import type { LeaseDeed } from '../../../src/agent/agent-event.ts';
import { uploadPicture } from '../../../src/agent/lease/upload.ts';
import { limits } from '../../../src/protocol/limits.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { type S3Stub, startS3Stub } from '../../support/s3-stub.ts';
import { until } from '../../support/until.ts';
import { fixture } from '../agent-fixture.ts';

const lease = { leaseId: '7b0f8f0e-7a39-4c0e-9d4e-1a2b3c4d5e6f', fence: 1 };
const picture = { nodeId: 'a', bytes: new Uint8Array([1, 2, 3]), contentType: 'image/png' } as const;

async function upload(prepare: (bridge: Awaited<ReturnType<typeof fixture>>['bridge']) => void = () => {}) {
  const clock = new ManualClock();
  const base = await fixture({ clock });
  const deeds: LeaseDeed[] = [];
  prepare(base.bridge);
  const run = (bytes: Uint8Array = picture.bytes) =>
    uploadPicture(
      lease,
      { ...picture, bytes },
      {
        ...base,
        signal: new AbortController().signal,
        onDeed: (deed) => void deeds.push(deed),
      },
    );
  return { ...base, clock, run, deeds };
}

async function bucket(): Promise<S3Stub> {
  const stub = await startS3Stub();
  onTestFinished(() => stub.close());
  return stub;
}

function target(over: Record<string, unknown>) {
  return {
    json: {
      method: 'PUT',
      url: 'https://storage.test/x',
      headers: {},
      publicUrl: 'https://storage.test/x',
      expiresAt: '2026-11-24T10:00:00.000Z',
      ...over,
    },
  };
}

describe('a picture', () => {
  it('is put where the bridge says, with exactly its headers and nothing that proves who we are', async () => {
    const { bridge, run } = await upload();
    expect(await run()).toEqual({ url: expect.stringContaining('/public/') });
    const [[path, { bytes, headers }]] = [...bridge.uploads] as [
      [string, { bytes: Buffer; headers: object }],
    ];
    expect(path).toMatch(/^\/storage\/[0-9a-f]{64}$/);
    expect([...bytes]).toEqual([1, 2, 3]);
    expect(headers).toMatchObject({ 'content-type': 'image/png', 'content-length': '3' });
    expect(Object.keys(headers).filter((name) => /signature|digest|authorization/.test(name))).toEqual([]);
  });

  it('is tried twice, then the verdict goes without it and says why', async () => {
    const { bridge, run } = await upload((fake) => {
      fake.storageStatus = 503;
    });
    expect(await run()).toEqual({ problem: expect.stringContaining('answered 503') });
    expect(bridge.of('requestUpload')).toHaveLength(1);
  });

  it('that a bucket refuses says why in the word of the bucket', async () => {
    const stub = await bucket();
    const { run } = await upload((fake) => fake.script('requestUpload', target({ url: `${stub.url}/b/k` })));
    expect(await run()).toEqual({
      problem: expect.stringMatching(/answered 400 \(Authorization\w+Error\)$/),
    });
    expect(stub.received()).toBe(2);
  });

  it('goes nowhere when the storage takes it and never answers, or is not there', async () => {
    const stub = await bucket();
    stub.become('silent');
    const { run, clock, bridge } = await upload((fake) =>
      fake.script('requestUpload', target({ url: `${stub.url}/b/k` })),
    );
    const result = run();
    await until('the storage has it', () => stub.received() === 1);
    await clock.advance(20_000);
    expect(await result).toEqual({ problem: expect.stringContaining('within 20 s') });
    await stub.close();
    bridge.script('requestUpload', target({ url: `${stub.url}/b/k` }));
    expect(await run()).toEqual({ problem: expect.stringContaining('ECONNREFUSED') });
    expect(clock.sleepers).toBe(0);
  });

  it('that is too large is not even asked for', async () => {
    const { bridge, run } = await upload();
    expect(await run(new Uint8Array(limits.artifactBytes + 1))).toHaveProperty('problem');
    expect(bridge.received).toEqual([]);
  });

  it.each(['file:///etc/passwd', 'ftp://storage.test/x', 'data:,x'])('is not sent to %s', async (url) => {
    const { run } = await upload((bridge) => bridge.script('requestUpload', target({ url })));
    expect(await run()).toEqual({ problem: expect.stringContaining('no http address') });
  });

  it.each([
    'ftp://storage.test/x?signature=secret-part',
    'http://user:secret-part@127.0.0.1:1/x',
    'http://127.0.0.1:1/x?signature=secret-part',
  ])('says nothing of what proves the right to %s', async (url) => {
    const { run } = await upload((bridge) =>
      bridge.script('requestUpload', target({ url }), target({ url })),
    );
    const { problem } = (await run()) as { problem: string };
    expect(problem).toMatch(/address|did not take it/);
    expect(problem).not.toContain('secret-part');
  });

  it.each([
    'http://169.254.169.254/latest/api/token',
    'http://[fe80::1]/x',
    'http://metadata.google.internal/x',
  ])('is not sent to %s, whatever the bridge says', async (url) => {
    const { run, deeds } = await upload((bridge) => bridge.script('requestUpload', target({ url })));
    expect(await run()).toEqual({ problem: expect.stringContaining('was not sent to') });
    expect(deeds.map(({ type }) => type)).toEqual(['picture_failed']);
  });

  it.each(['host', 'cookie', 'transfer-encoding', 'authorization', 'range'])(
    'is not sent with the header %s: the storage is told about the picture only',
    async (header) => {
      const { run, bridge } = await upload((fake) =>
        fake.script(
          'requestUpload',
          target({ url: `${fake.url}/storage/x`, headers: { [header]: 'inside' } }),
        ),
      );
      expect(await run()).toEqual({
        problem: `the picture was not sent: the bridge wants the header ${header} with it`,
      });
      expect(bridge.uploads.size).toBe(0);
    },
  );

  it('that the bridge refuses says why', async () => {
    const { run } = await upload((bridge) => bridge.script('requestUpload', { problem: 'artifact_refused' }));
    expect(await run()).toEqual({ problem: expect.stringContaining('artifact_refused') });
  });

  it('delays the verdict by 20 s at most', async () => {
    const { bridge, run, clock } = await upload((fake) => fake.script('requestUpload', 'hang'));
    const result = run();
    await bridge.until(() => bridge.of('requestUpload').length === 1);
    await clock.advance(20_000);
    expect(await result).toEqual({ problem: expect.stringContaining('within 20 s') });
    expect(clock.sleepers).toBe(0);
  });
});
