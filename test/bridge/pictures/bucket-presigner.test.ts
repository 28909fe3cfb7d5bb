import { createHash } from 'node:crypto';
import { request as rawRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTransport } from '../../../src/agent/client/transport.ts';
import { type BucketConfig, readBridgeConfig } from '../../../src/bridge/config.ts';
import { bucketPresigner } from '../../../src/bridge/pictures/bucket-presigner.ts';
import type { UploadGrant } from '../../../src/bridge/pictures/presigner.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { presignedSignature, type S3Stub, startS3Stub, testAccount } from '../../support/s3-stub.ts';

const picture = Buffer.from('the bytes of a picture');
const sha256 = createHash('sha256').update(picture).digest('hex');
const grant: UploadGrant = {
  key: `runs/0f1f0f1f-0000-4000-8000-000000000001/1/0123456789abcdef-${sha256}.png`,
  contentType: 'image/png',
  bytes: picture.length,
  sha256,
};

function bucketAt(endpoint: string, more: Record<string, string> = {}): BucketConfig {
  const { bucket } = readBridgeConfig({
    B2_BUCKET_NAME: testAccount.bucket,
    B2_ENDPOINT: endpoint,
    B2_KEY_ID: testAccount.keyId,
    B2_APPLICATION_KEY: testAccount.applicationKey,
    B2_PUBLIC_URL: 'https://pictures.example.com/failures',
    ...more,
  });
  if (bucket === null) throw new Error('there is no bucket in this configuration');
  return bucket;
}

describe('the signature of the stub', () => {
  // Source: AWS, "Authenticating Requests: Using Query Parameters", the example of GET /test.txt.
  it("is the one of AWS's published example", () => {
    expect(
      presignedSignature({
        method: 'GET',
        path: '/test.txt',
        query: new URLSearchParams({
          'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
          'X-Amz-Credential': 'AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request',
          'X-Amz-Date': '20130524T000000Z',
          'X-Amz-Expires': '86400',
          'X-Amz-SignedHeaders': 'host',
        }),
        headers: { host: 'examplebucket.s3.amazonaws.com' },
        secret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
      }),
    ).toBe('aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404');
  });
});

describe('a PUT signed for a bucket', () => {
  const clock = new ManualClock();
  let stub: S3Stub;
  beforeAll(async () => {
    stub = await startS3Stub({ nowMs: () => clock.nowMs() });
  });
  afterAll(() => stub.close());

  const presign = (over: Partial<UploadGrant> = {}, more: Record<string, string> = {}) =>
    bucketPresigner(bucketAt(stub.url, { B2_REGION: testAccount.region, ...more }), {
      ttlMs: 300_000,
      nowMs: () => clock.nowMs(),
    }).presign({ ...grant, ...over });
  const put = async (url: string, headers: Record<string, string>, body: Buffer = picture) => {
    const response = await fetch(url, { method: 'PUT', headers, body: new Uint8Array(body) });
    return { status: response.status, code: /<Code>(\w+)</.exec(await response.text())?.[1] };
  };

  it('is for the key in the path, is good for five minutes, and says where the object is read', async () => {
    const signed = await presign();
    const { origin, pathname, searchParams } = new URL(signed.url);
    expect(origin).toBe(stub.url);
    expect(pathname).toBe(`/${testAccount.bucket}/${grant.key}`);
    expect(searchParams.get('X-Amz-Expires')).toBe('300');
    expect(searchParams.get('X-Amz-SignedHeaders')).toBe('content-length;content-type;host');
    expect([...searchParams.keys()].filter((name) => /checksum|sdk|x-id/i.test(name))).toEqual([]);
    expect(signed.headers).toEqual({ 'content-type': 'image/png' });
    expect(signed.publicUrl).toBe(`https://pictures.example.com/failures/${grant.key}`);
    expect(signed.expiresAtMs).toBeLessThanOrEqual(clock.nowMs() + 300_000);
    expect(signed.expiresAtMs).toBeGreaterThan(clock.nowMs() + 299_000);
    expect(signed.url).not.toContain(encodeURIComponent(testAccount.applicationKey));
  });

  it('is taken from the transport of the runner, and again, which changes nothing', async () => {
    const transport = createTransport({ httpProxy: '', httpsProxy: '', noProxy: '' });
    try {
      const { url, headers } = await presign();
      for (let time = 1; time <= 2; time += 1) {
        const { signal } = new AbortController();
        const response = await transport.send({ method: 'PUT', url, headers, body: picture, signal });
        expect([response.status, await response.text()]).toEqual([200, '']);
      }
      expect([...stub.objects]).toEqual([[grant.key, { bytes: picture, contentType: 'image/png' }]]);
    } finally {
      await transport.close();
    }
  });

  it('is taken for each type of picture, from a bucket with dots in its name, over the turn of a day', async () => {
    const dotted = { ...testAccount, bucket: 'pictures.example.com' };
    const other = await startS3Stub({ account: dotted, nowMs: () => clock.nowMs() });
    try {
      for (const contentType of ['image/png', 'image/jpeg', 'image/webp'] as const) {
        const signed = await presign(
          { contentType },
          { B2_ENDPOINT: other.url, B2_BUCKET_NAME: dotted.bucket },
        );
        expect(await put(signed.url, signed.headers)).toMatchObject({ status: 200 });
        await clock.advance(86_400_000);
      }
    } finally {
      await other.close();
    }
  });

  it.each<[string, Parameters<typeof put>[1], Buffer, string]>([
    ['another content type', { 'content-type': 'text/html' }, picture, 'SignatureDoesNotMatch'],
    ['no content type', {}, picture, 'SignatureDoesNotMatch'],
    [
      'a longer body',
      { 'content-type': 'image/png' },
      Buffer.concat([picture, picture]),
      'SignatureDoesNotMatch',
    ],
    ['an empty body', { 'content-type': 'image/png' }, Buffer.alloc(0), 'SignatureDoesNotMatch'],
    [
      'another body of the same length',
      { 'content-type': 'image/png' },
      Buffer.alloc(picture.length),
      'BadDigest',
    ],
    [
      'a checksum',
      { 'content-type': 'image/png', 'x-amz-checksum-crc32': 'AAAAAA==' },
      picture,
      'InvalidArgument',
    ],
    ['an access list', { 'content-type': 'image/png', 'x-amz-acl': 'public-read' }, picture, 'AccessDenied'],
  ])('is refused with %s', async (_, headers, body, code) => {
    expect((await put((await presign()).url, headers, body)).code).toBe(code);
  });

  it.each<[string, (url: string) => string, string]>([
    ['for another key', (url) => url.replace('/1/', '/2/'), 'SignatureDoesNotMatch'],
    ['for another bucket', (url) => url.replace(testAccount.bucket, 'other'), 'SignatureDoesNotMatch'],
    ['for longer', (url) => url.replace('Expires=300', 'Expires=3000'), 'SignatureDoesNotMatch'],
    [
      'without its signature',
      (url) => url.replace(/&X-Amz-Signature=\w+/, ''),
      'AuthorizationQueryParametersError',
    ],
    ['with fewer headers signed', (url) => url.replace('content-length%3B', ''), 'AccessDenied'],
    ['with more in its query', (url) => `${url}&x-id=PutObject`, 'AuthorizationQueryParametersError'],
  ])('is refused %s', async (_, change, code) => {
    const { url, headers } = await presign();
    expect(change(url)).not.toBe(url);
    expect((await put(change(url), headers)).code).toBe(code);
  });

  it('is refused without a length: a body in chunks', async () => {
    const { url, headers } = await presign();
    const status = await new Promise((resolve, reject) => {
      const request = rawRequest(url, { method: 'PUT', headers }, (response) => {
        response.resume().once('end', () => resolve(response.statusCode));
      }).once('error', reject);
      request.flushHeaders();
      request.end(picture);
    });
    expect(status).toBe(411);
  });

  it('is refused after five minutes, and with a wrong key', async () => {
    const { url, headers } = await presign();
    await clock.advance(299_000);
    expect(await put(url, headers)).toMatchObject({ status: 200 });
    await clock.advance(2_000);
    expect(await put(url, headers)).toEqual({ status: 403, code: 'AccessDenied' });
    const wrong = await presign({}, { B2_APPLICATION_KEY: 'K003 something else' });
    expect(await put(wrong.url, wrong.headers)).toEqual({ status: 403, code: 'SignatureDoesNotMatch' });
  });

  it.each([
    ['s3.us-west-004.backblazeb2.com', {}, 'us-west-004'],
    ['https://s3.eu-central-003.backblazeb2.com', {}, 'eu-central-003'],
    ['https://s3.eu-west-1.amazonaws.com', {}, 'eu-west-1'],
    ['https://s3.dualstack.ap-southeast-2.amazonaws.com', {}, 'ap-southeast-2'],
    ['https://s3.amazonaws.com', {}, 'us-east-1'],
    ['https://0123456789abcdef.r2.cloudflarestorage.com', {}, 'auto'],
    ['http://minio.internal:9000', {}, 'us-east-1'],
    ['http://garage.internal:3900', { B2_REGION: 'garage' }, 'garage'],
    ['https://s3.us-west-004.backblazeb2.com', { B2_REGION: 'us-west-001' }, 'us-west-001'],
  ])('at %s with %o names the region %s', async (endpoint, more, region) => {
    const { url, publicUrl } = await bucketPresigner(bucketAt(endpoint, { B2_PUBLIC_URL: '', ...more }), {
      ttlMs: 300_000,
      nowMs: () => clock.nowMs(),
    }).presign(grant);
    const scope = new URL(url).searchParams.get('X-Amz-Credential')?.split('/');
    expect(scope?.slice(2)).toEqual([region, 's3', 'aws4_request']);
    // Without B2_PUBLIC_URL an object of a public bucket is read where it was put.
    expect(publicUrl).toBe(url.split('?')[0]);
  });
});
