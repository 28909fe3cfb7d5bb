import { describe, expect, it } from 'vitest';
import { ShutdownError } from '../../src/agent/lease/run-outcome.ts';
import { readStatusFile } from '../../src/agent/status-file.ts';
import type { Script } from '../support/fake-bridge.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { fakeEngine, untilTrue } from './agent-fixture.ts';
import { agent } from './agent-scene.ts';

const login: Script = { raw: { status: 200, type: 'text/html', body: '<form>Log in</form>' } };
const login401: Script = { raw: { status: 401, type: 'text/html', body: '<form>Log in</form>' } };
const unsigned = (problem: Extract<Script, { problem: unknown }>['problem']): Script => ({
  problem,
  isSigned: false,
});

describe('a runner whose polls are answered for an hour by', () => {
  it.each<[string, Script, RegExp]>([
    ['a bridge that does not know its key', unsigned('unknown_key'), /pair again: qualinet pair --force/],
    ['a bridge with another secret', unsigned('signature_invalid'), /WORKER_SECRET/],
    ['somebody who says that it was revoked', unsigned('credential_revoked'), /not signed/],
    ['somebody who says that its key is over', unsigned('credential_expired'), /not signed/],
    ['somebody who says that it is too old', unsigned('upgrade_required'), /not signed/],
    ['somebody who says that its requests are wrong', unsigned('malformed_request'), /not signed/],
    ['a page to log in, with status 200', login, /not signed/],
    ['a page to log in, with status 401', login401, /not from a bridge/],
    ['a bridge that fails', { problem: 'internal' }, /internal/],
  ])('%s goes on, without a loop, says why, and works when that is over', async (_, script, why) => {
    const clock = new ManualClock();
    const { bridge, run, drain, told, home } = await agent(fakeEngine(), {}, clock);
    const running = run();
    const failures = () => told.filter(({ type }) => type === 'disconnected').length;
    const lastWaitMs = (): number => {
      const last = told.filter((event) => event.type === 'disconnected').at(-1);
      return (last?.waitMs ?? 0) + 1;
    };
    await untilTrue(() => told.some(({ type }) => type === 'connected'));
    // The poll that waits ends with a run; every one after it is lied to.
    await bridge.until(() => bridge.of('pollLeases').length === 2);
    bridge.script('pollLeases', ...Array.from({ length: 200 }, () => script));
    bridge.queueLease();
    await bridge.until(() => bridge.results.size === 1);

    const beganMs = clock.monotonicMs();
    let lies = 0;
    while (clock.monotonicMs() - beganMs < 3_600_000) {
      lies += 1;
      await untilTrue(() => failures() === lies);
      await clock.advance(lastWaitMs());
    }
    // Once every 30 s at the longest wait, and a few more on the way there.
    expect(failures()).toBeLessThan(135);
    expect((await readStatusFile(home))?.lastError?.message).toMatch(why);

    await untilTrue(() => failures() === lies + 1);
    bridge.clearScripts('pollLeases');
    bridge.queueLease();
    await clock.advance(lastWaitMs());
    await bridge.until(() => bridge.results.size === 2);
    drain.abort(new ShutdownError('drain'));
    expect(await running).toBe('drained');
  });
});
