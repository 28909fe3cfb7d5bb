import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createBridgeClient } from '../../../src/agent/client/bridge-client.ts';
import { NoAnswerError, UpgradeRequiredError } from '../../../src/agent/client/bridge-errors.ts';
import { createTransport } from '../../../src/agent/client/transport.ts';
import {
  BridgeUnavailableError,
  CredentialsRejectedError,
  EnvironmentError,
  LeaseLostError,
  RefusedError,
} from '../../../src/lib/errors.ts';
import type { ProblemCode } from '../../../src/protocol/problem.ts';
import { FakeBridge, type Script } from '../../support/fake-bridge.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { fixture } from '../agent-fixture.ts';

const leaseId = '7b0f8f0e-7a39-4c0e-9d4e-1a2b3c4d5e6f';

async function heartbeatAnswered(script: Script): Promise<unknown> {
  const { bridge, client } = await fixture();
  bridge.script('heartbeat', script);
  return client
    .call('heartbeat', { params: { leaseId }, body: { fence: 1, nodeId: null } })
    .catch((error: unknown) => error);
}

describe('a call', () => {
  it('is signed, says who calls, wants no compression, and its signed answer is taken', async () => {
    const { bridge, client } = await fixture();
    const self = await client.call('runnerSelf');
    expect(self).toMatchObject({ name: 'the runner', draining: false });
    expect(bridge.received[0]?.headers).toMatchObject({
      'user-agent': 'qualinet/1.2.3',
      'accept-encoding': 'identity',
    });
  });

  it.each<[ProblemCode, new (...args: never[]) => Error]>([
    ['lease_lost', LeaseLostError],
    ['credential_revoked', CredentialsRejectedError],
    ['credential_expired', CredentialsRejectedError],
    ['upgrade_required', UpgradeRequiredError],
    ['not_allowed', RefusedError],
    ['malformed_request', RefusedError],
    ['unavailable', NoAnswerError],
    ['internal', NoAnswerError],
  ])('that is answered a signed %s throws what that code means', async (problem, type) => {
    expect(await heartbeatAnswered({ problem })).toBeInstanceOf(type);
  });

  it.each<ProblemCode>([
    'lease_lost',
    'credential_revoked',
    'credential_expired',
    'upgrade_required',
    'not_allowed',
  ])('that is answered an unsigned %s only has no answer: anybody could say that', async (problem) => {
    const error = await heartbeatAnswered({ problem, isSigned: false });
    expect(error).toBeInstanceOf(NoAnswerError);
    expect(String(error)).toContain('not signed');
  });

  it.each<[string, Script, string]>([
    [
      'a page of a captive portal',
      { raw: { status: 200, type: 'text/html', body: '<h1>Log in</h1>' } },
      'not signed',
    ],
    [
      'the right body without a signature',
      { json: { ttlMs: 1, remainingMs: 1, orders: [] }, isSigned: false },
      'not signed',
    ],
    ['a 401 of a proxy', { raw: { status: 401, type: 'text/html', body: 'no' } }, 'not from a bridge'],
    [
      'a 502 with a JSON body',
      { raw: { status: 502, type: 'application/json', body: '{}' } },
      'not from a bridge',
    ],
    [
      'a redirect',
      { raw: { status: 302, type: 'text/html', body: '', headers: { location: 'https://evil.test/' } } },
      'redirected to https://evil.test/',
    ],
    ['a signed body of another shape', { json: { ttlMs: 'long' } }, 'ttlMs'],
    [
      'garbage as a problem',
      { raw: { status: 409, type: 'application/problem+json', body: '{{{' } },
      'not from a bridge',
    ],
    ['a closed socket', 'drop', 'cannot reach'],
  ])('that is answered %s has no answer', async (_name, script, text) => {
    const error = await heartbeatAnswered(script);
    expect(error).toBeInstanceOf(NoAnswerError);
    expect(String(error)).toContain(text);
  });

  it('never follows a redirect', async () => {
    const other = await FakeBridge.start();
    onTestFinished(() => other.close());
    const { bridge, client } = await fixture();
    bridge.script('runnerSelf', {
      raw: {
        status: 307,
        type: 'text/plain',
        body: '',
        headers: { location: `${other.url}/v1/runners/self` },
      },
    });
    await expect(client.call('runnerSelf')).rejects.toThrow('redirects are not followed');
    expect(other.received).toEqual([]);
  });

  it('works with a clock that is two hours off, after one signed correction', async () => {
    const { bridge, client, log } = await fixture();
    bridge.nowMs = () => Date.now() + 2 * 3_600_000;
    await client.call('runnerSelf');
    await client.call('runnerSelf');
    expect(bridge.received).toHaveLength(3);
    expect(log.lines.join()).toContain('behind the bridge');
  });

  it('corrects its clock from no unsigned answer', async () => {
    const { bridge, client } = await fixture();
    bridge.script('runnerSelf', {
      problem: 'clock_skew',
      isSigned: false,
      serverTime: '2030-01-01T00:00:00.000Z',
    });
    await expect(client.call('runnerSelf')).rejects.toThrow(NoAnswerError);
    await client.call('runnerSelf');
    expect(bridge.received).toHaveLength(2);
  });

  it.each<ProblemCode>(['signature_expired', 'replayed', 'clock_skew'])(
    'repeats a request answered %s once, not twice',
    async (problem) => {
      const { bridge, client } = await fixture();
      bridge.script('runnerSelf', { problem });
      await client.call('runnerSelf');
      expect(bridge.received).toHaveLength(2);
      bridge.script('runnerSelf', { problem }, { problem });
      await expect(client.call('runnerSelf')).rejects.toThrow(NoAnswerError);
      expect(bridge.received).toHaveLength(4);
    },
  );

  it('never gives its credentials up for an unknown key or a wrong signature, for hours: anybody could say that', async () => {
    const clock = new ManualClock();
    const { bridge, client } = await fixture({ clock });
    for (const problem of ['unknown_key', 'signature_invalid'] as const) {
      for (let minute = 0; minute < 120; minute += 20) {
        bridge.script('runnerSelf', { problem, isSigned: false });
        const error = await client.call('runnerSelf').catch((caught: unknown) => caught);
        expect(error).toBeInstanceOf(NoAnswerError);
        expect(String(error)).toMatch(/ask the operators .* qualinet pair --force/);
        await clock.advance(20 * 60_000);
      }
    }
    expect(bridge.received).toHaveLength(12);
  });

  it('takes Retry-After from the answer', async () => {
    const error = await heartbeatAnswered({ problem: 'unavailable', headers: { 'retry-after': '7' } });
    expect(error).toMatchObject({ retryAfterMs: 7_000, problem: 'unavailable' });
  });

  it.each([-2, 0, 2])(
    'takes a date in Retry-After by the time of the bridge, %d hours from ours',
    async (hours) => {
      const clock = new ManualClock();
      const { bridge, client } = await fixture({ clock });
      bridge.nowMs = () => clock.nowMs() + hours * 3_600_000;
      await client.call('runnerSelf');
      const at = new Date(bridge.nowMs() + 7_000).toUTCString();
      bridge.script('runnerSelf', { problem: 'unavailable', headers: { 'retry-after': at } });
      await expect(client.call('runnerSelf')).rejects.toMatchObject({ retryAfterMs: 7_000 });
    },
  );

  it('refuses an answer that is too long without reading all of it', async () => {
    const { bridge, client } = await fixture();
    bridge.script('runnerSelf', { raw: { status: 200, type: 'application/json', body: 'x'.repeat(50_000) } });
    await expect(client.call('runnerSelf', { maxAnswerBytes: 10_000 })).rejects.toThrow('longer than 10000');
  });

  it('ends with the reason of its signal, and after its time-out', async () => {
    const clock = new ManualClock();
    const { bridge, client } = await fixture({ clock });
    bridge.script('runnerSelf', 'hang', 'hang');
    const abort = new AbortController();
    const aborted = client.call('runnerSelf', { signal: abort.signal });
    await bridge.until(() => bridge.received.length === 1);
    const reason = new Error('not wanted any more');
    abort.abort(reason);
    await expect(aborted).rejects.toBe(reason);
    const late = client.call('runnerSelf', { timeoutMs: 4_000 });
    await bridge.until(() => bridge.received.length === 2);
    await Promise.all([expect(late).rejects.toThrow('within 4 s'), clock.advance(4_000)]);
    expect(clock.sleepers).toBe(0);
  });

  it('refuses an answer that holds a Redis address', async () => {
    const { bridge, client } = await fixture();
    bridge.script('runnerSelf', { json: { credentials: { redis_url: 'x' } } });
    await expect(client.call('runnerSelf')).rejects.toThrow(EnvironmentError);
  });

  it('says which address cannot be reached and what to check', async () => {
    const { client, bridge } = await fixture();
    await bridge.close();
    const error = await client.call('runnerSelf').catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(BridgeUnavailableError);
    expect(error).toMatchObject({ hint: expect.stringContaining('bridge runs') });
    expect(String(error)).toContain('ECONNREFUSED');
  });
});

describe('a runner that holds two keys', () => {
  /** Credentials with generations 1 and 2, as a rotation that was not finished leaves them. */
  async function twoKeys() {
    const given = await fixture();
    const { bridge, identity } = given;
    const { runnerId, keys } = identity.credentials;
    const [first] = keys;
    if (first === undefined) throw new Error('no key');
    const second = { ...first, ...bridge.keyOf(runnerId, 2), generation: 2 };
    await identity.replace({ ...identity.credentials, keys: [first, second] });
    const generations = () => bridge.received.map(({ keyid }) => keyid?.split('.').at(-1) ?? 'none');
    return { ...given, first, second, generations };
  }

  it('signs with the newest after a start, and with the one that worked after that', async () => {
    const { bridge, client, first, generations } = await twoKeys();
    await client.call('runnerSelf');
    bridge.expired.add(first.keyid);
    await client.call('runnerSelf');
    expect(generations()).toEqual(['2', '2']);
  });

  it.each<'unknown' | 'expired'>(['unknown', 'expired'])(
    'tries the other at once when one is %s, and goes on with that',
    async (why) => {
      const { bridge, client, first, second, identity, generations } = await twoKeys();
      bridge[why].add(second.keyid);
      await client.call('runnerSelf');
      await client.call('runnerSelf');
      expect(generations()).toEqual([why === 'expired' ? '2' : 'none', '1', '1']);
      expect(identity.isProved(first)).toBe(true);
      // The other way round, when the old one ends in turn.
      bridge[why].delete(second.keyid);
      bridge.expired.add(first.keyid);
      await client.call('runnerSelf');
      expect(generations().slice(3)).toEqual(['1', '2']);
    },
  );

  it('is not ended by one signed end as long as nobody has signed that the other is over', async () => {
    const { bridge, client, first, second } = await twoKeys();
    bridge.expired.add(first.keyid);
    bridge.unknown.add(second.keyid);
    for (let call = 0; call < 3; call += 1)
      await expect(client.call('runnerSelf')).rejects.toThrow(NoAnswerError);
    bridge.unknown.delete(second.keyid);
    await client.call('runnerSelf');
  });

  it('is ended when both are over, each in a signed answer, and at once when it was revoked', async () => {
    const { bridge, client, first, second, generations } = await twoKeys();
    bridge.expired.add(first.keyid).add(second.keyid);
    await expect(client.call('runnerSelf')).rejects.toThrow(CredentialsRejectedError);
    expect(generations()).toEqual(['2', '1']);
    bridge.revoked.add(second.keyid);
    await expect(client.call('runnerSelf', { key: second })).rejects.toThrow('revoked');
  });

  it('asks with one key only where a key is given', async () => {
    const { bridge, client, second, generations } = await twoKeys();
    bridge.expired.add(second.keyid);
    await expect(client.call('runnerSelf', { key: second })).rejects.toThrow(CredentialsRejectedError);
    expect(generations()).toEqual(['2']);
  });
});

describe('a proxy', () => {
  async function clientThrough(httpProxy: string, noProxy = '') {
    const { bridge, identity, log, clock } = await fixture();
    const transport = createTransport({ httpProxy, httpsProxy: '', noProxy });
    onTestFinished(() => transport.close());
    return createBridgeClient({
      apiBaseUrl: bridge.url,
      keys: identity,
      transport,
      clock,
      log,
      version: '1.2.3',
    });
  }

  async function connectProxy(status: number): Promise<{ url: string; tunnels: string[] }> {
    const tunnels: string[] = [];
    const server = createServer().on('connect', (request, socket, head) => {
      tunnels.push(request.url ?? '');
      if (status !== 200) return void socket.end(`HTTP/1.1 ${status} No\r\n\r\n`);
      const [host, port] = (request.url ?? '').split(':');
      const target = connect(Number(port), host, () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        target.write(head);
        target.pipe(socket).pipe(target);
      });
      for (const end of [socket, target]) end.on('error', () => target.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, tunnels };
  }

  it('is used where one is set, and signatures pass it unharmed', async () => {
    const proxy = await connectProxy(200);
    const client = await clientThrough(proxy.url);
    await client.call('runnerSelf');
    expect(proxy.tunnels).toEqual([client.apiBaseUrl.slice('http://'.length)]);
  });

  it('is not used for an address in NO_PROXY', async () => {
    const proxy = await connectProxy(200);
    const client = await clientThrough(proxy.url, '127.0.0.1');
    await client.call('runnerSelf');
    expect(proxy.tunnels).toEqual([]);
  });

  it('that wants a password is told from a bridge that refuses', async () => {
    const proxy = await connectProxy(407);
    const client = await clientThrough(proxy.url);
    const error = await client.call('runnerSelf').catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(NoAnswerError);
    expect(error).toMatchObject({ hint: expect.stringContaining('user name and password') });
  });
});
