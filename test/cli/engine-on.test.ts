import { describe, expect, it } from 'vitest';
import type { Owed } from '../../src/agent/lease/deliver.ts';
import type { KeptLease } from '../../src/agent/lease/keep-lease.ts';
import { type ExecuteFlow, runLease } from '../../src/agent/lease/run-lease.ts';
import { ShutdownError } from '../../src/agent/lease/run-outcome.ts';
import { openSpool } from '../../src/agent/spool/spool.ts';
import type { RunPage } from '../../src/browser/run-page.ts';
import { engineOn } from '../../src/cli/engine-on.ts';
import type { StepEvent } from '../../src/protocol/run-result.ts';
import { fixture, untilTrue } from '../agent/agent-fixture.ts';
import { chain } from '../support/chain.ts';
import { browserTests } from '../support/flow-in-browser.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

// The story of a lease on a real browser: what ends it under the run's hands, and what the bridge then hears.

const site = browserTests({
  '/': `<button id="buy" onclick="navigator.sendBeacon('/bought')">Buy</button>`,
  '/bought': (response) => void response.writeHead(204).end(),
});

const buying = () =>
  chain(
    { id: 'open', type: 'navigate', data: { url: site.url('/') } },
    { id: 'buy', type: 'click', data: { selector: '#buy' } },
  );

const waitingAt = (path: string) =>
  chain(
    { id: 'open', type: 'navigate', data: { url: site.url(path) } },
    { id: 'stay', type: 'wait', data: { ms: 60_000 } },
  );

async function leased(
  flow: { nodes: unknown[]; edges: unknown[] },
  {
    clock,
    around = (engine) => engine,
    onPage = () => {},
    opening = Promise.resolve(),
    onRedelivery,
  }: {
    clock?: ManualClock;
    around?: (engine: ExecuteFlow) => ExecuteFlow;
    onPage?: (page: RunPage) => void;
    opening?: Promise<void>;
    onRedelivery?: 'auto';
  } = {},
) {
  const base = await fixture(clock === undefined ? {} : { clock, random: () => 1 });
  const stop = new AbortController();
  const lease = base.bridge.lease({ flow, ...(onRedelivery === undefined ? {} : { onRedelivery }) });
  const events: StepEvent[] = [];
  const spool = await openSpool(await tempFolder(), { log: base.log, capBytes: 200 * 1024 ** 2 });
  const handedOver: Owed[] = [];
  let openPages = 0;
  let pages = 0;
  const kept: KeptLease[] = [];
  const newRun = async () => {
    await opening;
    const page = await site.browser().newRun();
    onPage(page);
    openPages += 1;
    pages += 1;
    const close = () =>
      page.close().finally(() => {
        openPages -= 1;
      });
    return { ...page, close };
  };
  const run = runLease(lease, {
    ...base,
    spool,
    debts: { take: (owed) => void handedOver.push(owed) },
    executeFlow: around(engineOn({ newRun })),
    areHintsHeard: () => true,
    stopSignal: stop.signal,
    hardStopSignal: new AbortController().signal,
    onKept: (one) => kept.push(one),
    onDrainOrder: () => {},
    tell: (event) => void (event.type === 'step' && events.push(event.event)),
  });
  // A page is open for a moment longer than its verdict takes.
  const running = run.finally(() => until('its page is closed', () => openPages === 0));
  const at = (nodeId: string) =>
    until(`step ${nodeId} is under way`, () =>
      events.some((event) => event.type === 'step_start' && event.nodeId === nodeId),
    );
  return {
    ...base,
    lease,
    running,
    ended: run,
    kept,
    pages: () => pages,
    stop,
    at,
    openPages: () => openPages,
    handedOver,
    result: () => base.bridge.results.get(lease.leaseId),
  };
}

/** The released body of the one release that came. */
const released = ({ bridge }: Awaited<ReturnType<typeof leased>>) => bridge.of('releaseLease')[0]?.body;

describe('a run whose lease is over by the clock', () => {
  it('does not click what it has just located when the machine slept in between', async () => {
    const clock = new ManualClock();
    const asked: string[] = [];
    const before = site.requests().length;
    const scene = await leased(buying(), {
      clock,
      around: (engine) => (run, hooks) =>
        engine(run, {
          ...hooks,
          ensureOurs() {
            asked.push('asked');
            // Before each of the two steps, before opening the page, and then right before the click.
            if (asked.length === 4) clock.sleepMachine(41 * 60_000);
            hooks.ensureOurs();
          },
        }),
    });
    let isOver = false;
    const over = scene.running.finally(() => {
      isOver = true;
    });
    while (!isOver) await clock.advance(1);
    expect(await over).toMatchObject({ kind: 'kept' });
    const [owed] = scene.handedOver;
    expect(owed?.ending).toEqual({
      kind: 'release',
      reason: 'interrupted',
      detail: 'no heartbeat was acknowledged for 41 min: this machine or process stood still for 41 min',
    });
    owed?.outbox.stop();
    await owed?.drop();
    expect(asked).toHaveLength(4);
    expect(site.requests().slice(before)).toEqual(['/']);
  });

  it('clicks while it is not', async () => {
    const before = site.requests().length;
    const scene = await leased(buying());
    expect(await scene.running).toEqual({ kind: 'delivered', status: 'passed' });
    await until('the site heard of it', () => site.requests().slice(before).includes('/bought'));
  });
});

describe('a run that is cancelled', () => {
  it('ends at once while its page is being opened, which is closed when it comes', async () => {
    let letOpen: () => void = () => {};
    const isAsked = new Promise<void>((resolve) => {
      letOpen = resolve;
    });
    const scene = await leased(buying(), { opening: isAsked });
    await scene.bridge.until(() => scene.bridge.of('heartbeat').length === 1);
    scene.bridge.orders.set(scene.lease.leaseId, ['cancel']);
    scene.kept[0]?.beatNow();
    expect(await scene.ended).toEqual({ kind: 'delivered', status: 'cancelled' });
    letOpen();
    await until('the page has come', () => scene.pages() === 1);
    await until('it is closed', () => scene.openPages() === 0);
  });
});

describe('a run that is handed back', () => {
  it('has its page closed before anybody else may begin it', async () => {
    const scene = await leased(waitingAt('/'));
    await scene.at('stay');
    scene.stop.abort(new ShutdownError('the runner is being stopped'));
    await scene.bridge.until(() => scene.bridge.of('releaseLease').length === 1);
    expect(scene.openPages()).toBe(0);
    await scene.running;
  });
});

describe('a browser that ends under its runs', () => {
  it('gives each of them back as interrupted with the reason, and the next run gets another browser', async () => {
    const pid = site.browser().pid;
    if (pid === null) throw new Error('the browser has no pid');
    const scenes = [await leased(waitingAt('/')), await leased(waitingAt('/'))];
    await Promise.all(scenes.map((scene) => scene.at('stay')));
    process.kill(pid, 'SIGKILL');
    for (const scene of scenes) {
      expect(await scene.running).toEqual({ kind: 'released', reason: 'interrupted' });
      expect(released(scene)).toEqual({
        fence: 1,
        reason: 'interrupted',
        detail: 'the browser ended unexpectedly',
      });
      expect(scene.result()).toBeUndefined();
    }
    const next = await leased(buying());
    expect(await next.running).toEqual({ kind: 'delivered', status: 'passed' });
    expect(site.browser().pid).not.toBe(pid);
  });

  it('changes nothing for a run that had failed by its own step', async () => {
    const pid = site.browser().pid;
    if (pid === null) throw new Error('the browser has no pid');
    const flow = chain(
      { id: 'open', type: 'navigate', data: { url: site.url('/') } },
      { id: 'seek', type: 'click', data: { selector: '#nowhere', timeoutMs: 2_000 } },
    );
    const scene = await leased(flow, {
      around: (engine) => async (run, hooks) =>
        engine(run, {
          ...hooks,
          async keepScreenshot() {
            process.kill(pid, 'SIGKILL');
            await until('the browser is known to be dead', () => !site.browser().isUsable());
            return { problem: 'the browser is dead' };
          },
        }),
    });
    expect(await scene.running).toEqual({ kind: 'delivered', status: 'failed' });
    expect(scene.result()?.stepsResult.at(-1)).toMatchObject({ errorKind: 'not_found' });
  });

  it('is another thing than a page that crashes, which is the site that failed', async () => {
    const scene = await leased(
      chain(
        { id: 'open', type: 'navigate', data: { url: site.url('/') } },
        { id: 'seek', type: 'click', data: { selector: '#nowhere', timeoutMs: 60_000 } },
      ),
      {
        onPage: ({ page }) => page.on('load', () => void page.goto('chrome://crash').catch(() => {})),
      },
    );
    expect(await scene.running).toEqual({ kind: 'delivered', status: 'failed' });
    expect(scene.result()?.stepsResult.at(-1)).toMatchObject({
      errorKind: 'browser_crashed',
      error: 'the page crashed',
    });
  });
});

describe('a run that is auto', () => {
  it('clicks only after the bridge has the start of the click', async () => {
    const before = site.requests().length;
    const scene = await leased(buying(), { onRedelivery: 'auto' });
    scene.bridge.script('postEvents', { problem: 'unavailable' });
    const stored = () => scene.bridge.events.get(scene.lease.leaseId)?.map(({ event }) => event.nodeId) ?? [];
    await untilTrue(() => site.requests().slice(before).includes('/bought'));
    expect(stored()).toContain('buy');
    await scene.running;
  });
});
