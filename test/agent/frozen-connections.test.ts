import { createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createBridgeClient } from '../../src/agent/client/bridge-client.ts';
import { ShutdownError } from '../../src/agent/lease/run-outcome.ts';
import type { RequestOf } from '../../src/protocol/routes.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { fakeEngine, fixture, untilTrue } from './agent-fixture.ts';
import { agent } from './agent-scene.ts';

describe('a connection that freezes is noticed', () => {
  it.each([
    ['after it was opened', ''],
    ['in the middle of the head', 'HTTP/1.1 200 OK\r\ncontent-ty'],
    ['in the middle of the answer', 'HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{"done"'],
  ])('%s, within the 30 s of a request', async (_, said) => {
    const base = await fixture({ clock: new ManualClock() });
    const { clock, identity } = base;
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => {});
      socket.once('data', () => socket.write(said));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const { port } = server.address() as { port: number };
    const client = createBridgeClient({
      ...base,
      apiBaseUrl: `http://127.0.0.1:${port}`,
      keys: identity,
      version: '1.2.3',
    });
    const failed = client.call('runnerSelf').catch((error: unknown) => error);
    await untilTrue(() =>
      sockets.some(({ bytesRead, bytesWritten }) => bytesRead > 0 && bytesWritten >= said.length),
    );
    await clock.advance(29_999);
    await clock.advance(1);
    expect(String(await failed)).toContain('did not answer runnerSelf within 30 s');
    expect(clock.sleepers).toBe(0);
    await untilTrue(() => sockets.every(({ destroyed, readableEnded }) => destroyed || readableEnded));
  });

  it('by polls, which then ask for a shorter wait, and recover', async () => {
    const clock = new ManualClock();
    const { bridge, run, drain, told } = await agent(fakeEngine(), {}, clock);
    const waits = () => bridge.of('pollLeases').map(({ body }) => (body as RequestOf<'pollLeases'>).waitMs);
    const failures = () => told.filter(({ type }) => type === 'disconnected').length;
    const empty = { json: { leases: [], orders: [] } };
    bridge.script('pollLeases', empty, 'hang', empty, 'hang', empty);
    const running = run();
    for (const [failed, waitMs] of [
      [1, 25_000],
      [2, 20_000],
    ] as const) {
      await untilTrue(() => waits().at(-1) === waitMs);
      await clock.advance(waitMs + 9_999);
      expect(failures()).toBe(failed - 1);
      await clock.advance(1);
      await untilTrue(() => failures() === failed);
      // Whether it is there again is asked without a wait.
      await clock.advance(1_000);
    }
    await untilTrue(() => waits().at(-1) === 16_000);
    expect(waits()).toEqual([0, 25_000, 0, 20_000, 0, 16_000]);
    drain.abort(new ShutdownError('drain'));
    await running;
  });
});
