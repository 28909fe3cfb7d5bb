import { describe, expect, it, onTestFinished } from 'vitest';
import { followControl } from '../../../src/agent/client/control-stream.ts';
import type { Script } from '../../support/fake-bridge.ts';
import { fixture, untilTrue } from '../agent-fixture.ts';

async function following(...scripts: Script[]) {
  const base = await fixture();
  base.bridge.script('control', ...scripts);
  const stop = new AbortController();
  const heard: boolean[] = [];
  const ended = followControl({
    ...base,
    signal: stop.signal,
    onPoll: () => {},
    onHeartbeat: () => {},
    onHeard: (isHeard) => heard.push(isHeard),
  });
  onTestFinished(async () => {
    stop.abort();
    await ended;
  });
  return { ...base, heard, stop, ended };
}

describe('the control stream', () => {
  it('is heard from its first byte on, comments included, until it ends', async () => {
    const { bridge, heard } = await following();
    await untilTrue(() => heard.length === 1);
    await bridge.close();
    await untilTrue(() => heard.length === 2);
    expect(heard).toEqual([true, false]);
  });

  it('is not heard while nothing of it gets through, or another one answers for it', async () => {
    const { bridge, heard } = await following({ problem: 'not_found' }, 'drop', 'hang');
    await bridge.until(() => bridge.of('control').length === 3);
    expect(heard).toEqual([]);
  });

  it('is heard no more when the runner stops following', async () => {
    const { heard, stop, ended } = await following();
    await untilTrue(() => heard.length === 1);
    stop.abort();
    await ended;
    expect(heard).toEqual([true, false]);
  });
});
