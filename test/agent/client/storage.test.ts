import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openStorage, type StorageOptions } from '../../../src/agent/client/storage.ts';
import { createTransport } from '../../../src/agent/client/transport.ts';
import type { NetworkRules } from '../../../src/browser/egress/network-rules.ts';
import { errorText } from '../../../src/lib/errors.ts';
import { parseHostPattern } from '../../../src/lib/host-pattern.ts';

const proxy = { httpProxy: '', httpsProxy: '', noProxy: '' };

function storage({
  network = 'lan',
  allowHosts = [],
  ...over
}: Partial<StorageOptions> & {
  network?: NetworkRules['profile'];
  allowHosts?: NetworkRules['allowHosts'];
} = {}) {
  const transport = createTransport(proxy);
  const opened = openStorage({
    apiBaseUrl: 'https://bridge.example/base',
    transport,
    proxy,
    rules: { profile: network, allowHosts },
    ...over,
  });
  onTestFinished(async () => {
    await opened.close();
    await transport.close();
  });
  const isTaken = (url: string): boolean => opened.whyNot(new URL(url)) === null;
  const put = (url: string) =>
    opened.send({
      method: 'PUT',
      url,
      headers: {},
      body: new Uint8Array([1]),
      signal: AbortSignal.timeout(5_000),
    });
  return { ...opened, isTaken, put };
}

/** A neighbour of the runner that counts what reaches it. */
async function neighbour(answer: { status: number; location?: string } = { status: 200 }) {
  let received = 0;
  const server = createServer((request, response) => {
    received += 1;
    request.resume();
    const headers = answer.location === undefined ? {} : { location: answer.location };
    response.writeHead(answer.status, headers).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { port, url: `http://127.0.0.1:${port}`, received: () => received };
}

const metadata = [
  'http://169.254.169.254/latest/api/token',
  'http://[fe80::1]/',
  'http://[fd00:ec2::254]/',
  'http://100.100.100.200/',
  'http://192.0.0.192/',
  'http://metadata.google.internal/computeMetadata/v1/',
  'http://[::ffff:169.254.169.254]/',
  'http://2852039166/',
  'http://224.0.0.1/',
];
const loopback = [
  'http://127.0.0.1:9200/',
  'http://localhost:6379/',
  'http://evil.localhost/',
  'http://[::1]/',
  'http://[::ffff:127.0.0.1]/',
  'http://0.0.0.0:80/',
  'http://127.1/',
];
const private_ = ['http://10.0.0.5:9000/', 'http://192.168.1.1/', 'http://[fc00::5]/', 'http://172.16.0.1/'];

describe('an address that the bridge names for a picture', () => {
  it.each([...metadata, ...loopback])('is not taken when it is %s', (url) => {
    expect(storage().isTaken(url)).toBe(false);
  });

  it.each(private_)('is taken on the private network (%s), unless flows may not reach that', (url) => {
    expect(storage().isTaken(url)).toBe(true);
    expect(storage({ network: 'public' }).isTaken(url)).toBe(false);
  });

  it('is taken anywhere else, and at the bridge itself', () => {
    expect(storage().isTaken('https://s3.eu-central-003.backblazeb2.com/b/k')).toBe(true);
    expect(storage({ apiBaseUrl: 'http://127.0.0.1:4870' }).isTaken('http://127.0.0.1:4870/v1/blobs/x')).toBe(
      true,
    );
    expect(storage({ apiBaseUrl: 'http://10.1.1.1', network: 'public' }).isTaken('http://10.1.1.2/')).toBe(
      true,
    );
  });

  it('is taken beside a bridge on this machine; a metadata service never is', () => {
    const beside = storage({ apiBaseUrl: 'http://localhost:4870' });
    expect(beside.isTaken('http://127.0.0.1:9000/')).toBe(true);
    for (const url of metadata) expect(beside.isTaken(url)).toBe(false);
  });

  it('is taken where this machine allows that host', () => {
    const allowHosts = [parseHostPattern('localhost:9000'), parseHostPattern('169.254.1.1')];
    const own = storage({ allowHosts });
    expect(own.isTaken('http://localhost:9000/')).toBe(true);
    expect(own.isTaken('http://localhost:9001/')).toBe(false);
    expect(own.isTaken('http://169.254.1.1/')).toBe(true);
  });

  it('does not lead a name to where no address may: what was looked at is connected to', async () => {
    const { port, received } = await neighbour();
    const found: string[] = [];
    const resolve = async (name: string) => {
      found.push(name);
      return ['127.0.0.1', '::1'];
    };
    const url = `http://inside.example:${port}/`;
    const strict = storage({ resolve });
    expect(strict.isTaken(url)).toBe(true);
    const error: unknown = await strict.put(url).catch((thrown: unknown) => thrown);
    expect(errorText(error)).toContain(
      `it leads to 127.0.0.1, which is this machine itself (loopback); allow it with: --allow-host inside.example:${port}`,
    );
    expect([found, received()]).toEqual([['inside.example'], 0]);
    expect((await storage({ resolve, network: 'open' }).put(url)).status).toBe(200);
  });

  it('that redirects is not followed', async () => {
    const inner = await neighbour();
    const outer = await neighbour({ status: 307, location: inner.url });
    const { put } = storage({ apiBaseUrl: 'http://127.0.0.1:1' });
    expect((await put(outer.url)).status).toBe(307);
    expect([outer.received(), inner.received()]).toEqual([1, 0]);
  });
});
