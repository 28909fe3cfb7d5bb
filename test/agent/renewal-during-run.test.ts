import { expect, it } from 'vitest';
import { rotateKey } from '../../src/agent/credentials/rotation.ts';
import { fakeEngine } from './agent-fixture.ts';
import { agent } from './agent-scene.ts';

it('a key that is renewed while a run is under way costs it no event, heartbeat, picture or result', async () => {
  const scene = await agent(
    fakeEngine(async (_, { onEvent, keepScreenshot }) => {
      const { bridge, identity, client, log } = scene;
      onEvent({ type: 'step_start', nodeId: 'w' });
      await bridge.until(() => bridge.of('postEvents').length === 1);
      const picture = { nodeId: 'w', bytes: Buffer.from('png'), contentType: 'image/png' as const };
      const both = keepScreenshot(picture);
      await rotateKey(identity, client, { log, signal: new AbortController().signal });
      expect(await both).toHaveProperty('url');
      // The grace of the old key is over.
      bridge.expired.add(bridge.keyOf(identity.credentials.runnerId, 1).keyid);
      const beats = bridge.of('heartbeat').length;
      bridge.hint('heartbeat', { leaseId: lease.leaseId });
      await bridge.until(() => bridge.of('heartbeat').length > beats);
      onEvent({ type: 'step_complete', nodeId: 'w', status: 'passed', durationMs: 1 });
      await bridge.until(() => bridge.of('postEvents').length === 2);
      expect(await keepScreenshot(picture)).toHaveProperty('url');
      return undefined;
    }),
    { once: true },
  );
  const { bridge, run } = scene;
  const lease = bridge.queueLease();
  expect(await run()).toBe('once');
  expect(bridge.results.get(lease.leaseId)?.status).toBe('passed');
  expect(bridge.events.get(lease.leaseId)?.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
  const keys = (name: Parameters<typeof bridge.of>[0]) =>
    bridge.of(name).map(({ keyid }) => Number(keyid?.split('.').at(-1)));
  for (const name of ['heartbeat', 'postEvents', 'requestUpload', 'postResult'] as const) {
    expect(keys(name).at(-1), name).toBe(2);
  }
  expect(keys('postEvents')[0]).toBe(1);
});
