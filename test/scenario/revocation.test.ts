import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChildProgram } from '../../src/demo/child-program.ts';
import type { RunView } from '../../src/protocol/messages.ts';
import { chain } from '../support/chain.ts';
import { processExists } from '../support/processes.ts';
import { html, type Site, startSite } from '../support/site.ts';
import {
  type BridgeProcess,
  descendants,
  pairRunner,
  startBridgeProcess,
  startRunnerProcess,
} from '../support/system.ts';
import { suiteFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

// A bridge and two runners as processes, a site that sees who asks for what.

describe('a runner that is revoked while it executes a run', () => {
  const folder = suiteFolder();
  const home = (name: string): string => join(folder(), name);
  /** Cookie of the browser and path of each request, in order: a context of a browser is one visitor. */
  const visits: { visitor: string; path: string }[] = [];
  let site: Site;
  let bridge: BridgeProcess;
  let first: ChildProgram;
  let second: ChildProgram;
  let runId: string;

  beforeAll(async () => {
    let visitors = 0;
    const page = (isFirst: boolean) => (response: Parameters<typeof html>[0], url: URL) => {
      if (isFirst) visitors += 1;
      const visitor = isFirst ? `v${visitors}` : (response.req.headers.cookie ?? 'nobody');
      visits.push({ visitor, path: url.pathname });
      if (isFirst) response.setHeader('set-cookie', visitor);
      html(response, '<h1>step</h1>');
    };
    site = await startSite({ '/start': page(true), '/next': page(false) });
    // Heartbeats come once a minute: without a hint the revocation would be heard of by then.
    bridge = await startBridgeProcess(home('bridge'), { QUALINET_LEASE_TTL_SECONDS: '300' });
    await pairRunner(bridge, home('first'), ['--name', 'first']);
    await pairRunner(bridge, home('second'), ['--name', 'second']);
    first = startRunnerProcess(home('first'));
    second = startRunnerProcess(home('second'));
    await until('both are connected', () =>
      [first, second].every((each) => each.said().includes('connected')),
    );
  });
  afterAll(async () => {
    await first?.stop();
    await second?.stop();
    await bridge?.program.stop();
    await site?.close();
  });

  it('ends with 77 within seconds, and leaves no browser behind', async () => {
    const steps = Array.from({ length: 20 }, (_, index) => [
      { id: `go${index}`, type: 'navigate', data: { url: `${site.url}/next` } },
      { id: `wait${index}`, type: 'wait', data: { ms: 200 } },
    ]).flat();
    const { runners } = await bridge.operator<{ runners: { runnerId: string; name: string }[] }>(
      'GET',
      '/v1/runners',
    );
    const path = (called: string) =>
      `/v1/runners/${runners.find(({ name }) => name === called)?.runnerId ?? ''}`;
    await bridge.operator('POST', `${path('second')}/drain`, { drain: true });
    runId = await bridge.submit(
      chain({ id: 'start', type: 'navigate', data: { url: `${site.url}/start` } }, ...steps),
    );
    await until('it acts', () => visits.length > 3);
    const pids = await descendants(first.process.pid ?? 0);
    await bridge.operator('POST', `${path('second')}/drain`, { drain: false });
    const sinceMs = performance.now();
    await bridge.operator('DELETE', path('first'));
    expect(await first.ended).toBe(77);
    expect(performance.now() - sinceMs).toBeLessThan(30_000);
    expect(first.said()).toMatch(/credential_revoked[\s\S]*qualinet pair --force/);
    await until('its browser is gone', () => pids.every((pid) => !processExists(pid)));
  });

  it('does nothing more on its page, and its run goes on with the other one', async () => {
    const run = await until(
      'the run is over',
      async () => {
        const row: RunView = await bridge.read(runId);
        return row.status === 'passed' ? row : null;
      },
      60_000,
    );
    expect(run).toMatchObject({
      attempt: 2,
      lastEndReason: expect.stringMatching(/^interrupted: .*revoked/),
    });
    const visitors = visits.map(({ visitor }) => visitor);
    expect(visitors).toContain('v2');
    expect(visitors.slice(visitors.indexOf('v2'))).not.toContain('v1');
  });

  it('ends with 77 again when it is started again, without a loop, and keeps its file', async () => {
    const again = startRunnerProcess(home('first'));
    expect(await again.ended).toBe(77);
    const file = JSON.parse(await readFile(join(home('first'), 'runner.json'), 'utf8')) as object;
    expect(file).toMatchObject({ name: 'first' });
    await bridge.operator('GET', '/v1/runners');
  });
});
