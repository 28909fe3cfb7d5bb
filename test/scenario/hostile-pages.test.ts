import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type ChildProgram, runToEnd } from '../../src/demo/child-program.ts';
import { type ChainNode, chain } from '../support/chain.ts';
import { type LoadBalancer, loadBalancer } from '../support/load-balancer.ts';
import { type Site, startSite } from '../support/site.ts';
import {
  type BridgeProcess,
  bridgeProgram,
  descendants,
  pairRunner,
  startBridgeProcess,
  startRunnerProcess,
} from '../support/system.ts';
import { suiteFolder, tempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

// One bridge, one runner behind a proxy that keeps the control stream back, and pages that do what they can to keep the
// runner. Each ends its own run, and the next run finds a runner that works and a browser that knows nothing.

describe('a runner that meets pages which do not let go', () => {
  const folder = suiteFolder();
  let site: Site;
  let proxy: LoadBalancer;
  let bridge: BridgeProcess;
  let runner: ChildProgram;

  beforeAll(async () => {
    site = await startSite({
      '/good': `<p id="state"></p><script>
        state.textContent = document.cookie + localStorage.length + sessionStorage.length;
        document.cookie = 'seen=1';
        localStorage.seen = sessionStorage.seen = 1;
      </script>`,
      '/silent': () => {},
      '/busy': `<h1>Busy</h1><script>onload = () => setTimeout(() => { for (;;) {} }, 500)</script>`,
      '/storm': `<script>onload = () => setInterval(() => alert('again'), 5)</script>`,
      // The renderer may have a few GiB of numbers, and dies of more.
      '/bomb': `<script>onload = () => setTimeout(() => {
        for (const all = []; all.length < 40; ) all.push(new Array(2 ** 25).fill(1.5));
      }, 50)</script>`,
    });
    proxy = await loadBalancer({ keepsBack: (path) => path.includes('control') });
    bridge = await startBridgeProcess(join(folder(), 'bridge'), {
      PUBLIC_URL: proxy.url,
      // Of heartbeats as seldom as this one a cancel would be a minute late.
      QUALINET_LEASE_TTL_SECONDS: '300',
    });
    proxy.use([bridge.url]);
    await pairRunner({ ...bridge, url: proxy.url }, join(folder(), 'runner'));
    runner = startRunnerProcess(join(folder(), 'runner'));
  });
  afterAll(async () => {
    await runner?.stop();
    await bridge?.program.stop();
    await proxy?.close();
    await site?.close();
  });

  const open = (path: string, more = {}): ChainNode => ({
    id: 'open',
    type: 'navigate',
    data: { url: site.url + path, ...more },
  });
  const pause: ChainNode = { id: 'w', type: 'wait', data: { ms: 2_000 } };
  const expectText = (selector: string, value: string, timeoutMs: number): ChainNode => ({
    id: 'look',
    type: 'assertion',
    data: { selector, value, timeoutMs },
  });
  const ended = async (...nodes: ChainNode[]) => bridge.over(await bridge.submit(chain(...nodes)), 120_000);
  const expectCleanRunner = async () => {
    const run = await ended(open('/good'), expectText('#state', '00', 5_000));
    expect(run.stepsResult?.map(({ error }) => error)).toEqual([undefined, undefined]);
    expect(run).toMatchObject({ status: 'passed', attempt: 1 });
    // The next run's page, and one more while it takes the place of the last.
    await until('no other page is left', async () => (await renderers(runner)) <= 2);
  };

  it.each<[string, () => ChainNode[], object]>([
    ['never answers', () => [open('/silent', { timeoutMs: 1_000 })], { errorKind: 'timeout' }],
    [
      'never ends its script',
      () => [open('/busy'), pause, expectText('#done', 'x', 1_500)],
      { errorKind: 'timeout', error: expect.stringContaining('a script keeps it busy') },
    ],
    [
      'asks for ever',
      () => [open('/storm'), expectText('#done', 'x', 1_500)],
      { errorKind: expect.stringMatching(/not_found|timeout/) },
    ],
    [
      'takes all memory',
      () => [open('/bomb'), expectText('#done', 'x', 60_000)],
      { errorKind: 'browser_crashed', error: expect.stringContaining('the page crashed') },
    ],
  ])(
    'fails the run whose page %s, and the next one passes',
    async (_what, nodes, last) => {
      const run = await ended(...nodes());
      expect(run).toMatchObject({ status: 'failed', attempt: 1 });
      expect(run.stepsResult?.at(-1)).toMatchObject({ status: 'failed', ...last });
      await expectCleanRunner();
    },
    150_000,
  );

  it('lets an operator cancel a run whose page hangs, though no hint gets through', async () => {
    const runId = await bridge.submit(chain(open('/busy'), pause, expectText('#done', 'x', 600_000)));
    await until(
      'the last step hangs',
      async () => {
        const { status } = await bridge.read(runId);
        return status === 'running' && site.requests.includes('/busy') && (await isAtStep(runId, 'look'));
      },
      60_000,
    );
    await runToEnd(bridgeProgram, ['cancel', runId, '--api', bridge.url], { env: bridge.env });
    await until('the run is cancelled', async () => (await bridge.read(runId)).status === 'cancelled');
    await expectCleanRunner();
  });

  async function isAtStep(runId: string, nodeId: string): Promise<boolean> {
    let text = '';
    try {
      const response = await fetch(`${bridge.url}/v1/runs/${runId}/events`, {
        headers: { authorization: `Bearer ${bridge.env['QUALINET_ADMIN_TOKEN']}` },
        signal: AbortSignal.timeout(500),
      });
      for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString();
    } catch {
      // It goes on until the run ends.
    }
    return text.includes(`"nodeId":"${nodeId}"`);
  }
});

it('the bridge ends a run at its deadline, in the middle of a step, and the next one passes', async () => {
  const folder = await tempFolder();
  const site = await startSite({ '/good': '<p id="state">here</p>' });
  const bridge = await startBridgeProcess(join(folder, 'bridge'), { QUALINET_MAX_RUN_SECONDS: '10' });
  await pairRunner(bridge, join(folder, 'runner'));
  const runner = startRunnerProcess(join(folder, 'runner'));
  onTestFinished(async () => {
    await runner.stop();
    await bridge.program.stop();
    await site.close();
  });
  const open: ChainNode = { id: 'open', type: 'navigate', data: { url: `${site.url}/good` } };
  const stuck = await bridge.submit(chain(open, { id: 'w', type: 'wait', data: { ms: 600_000 } }));
  expect((await bridge.follow(stuck)).at(-1)).toMatchObject({ type: 'run_complete', status: 'failed' });
  expect(await bridge.read(stuck)).toMatchObject({ status: 'failed', error: { code: 'run_timeout' } });
  const good = await bridge.submit(chain(open));
  expect((await bridge.follow(good)).at(-1)).toMatchObject({ type: 'run_complete', status: 'passed' });
});

async function renderers({ process: { pid = 0 } }: ChildProgram): Promise<number> {
  const pids = await descendants(pid);
  const { stdout } = await promisify(execFile)('ps', ['-o', 'args=', '-p', pids.join(',')]).catch(() => ({
    stdout: '',
  }));
  return stdout.split('\n').filter((line) => line.includes('--type=renderer')).length;
}
