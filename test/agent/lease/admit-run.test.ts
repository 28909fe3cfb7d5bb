import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { LeaseDeed } from '../../../src/agent/agent-event.ts';
import type { MachineRules } from '../../../src/agent/lease/admit-run.ts';
import { type ExecuteFlow, runLease } from '../../../src/agent/lease/run-lease.ts';
import { readLocalPolicy } from '../../../src/agent/policy/local-policy.ts';
import { PolicyTimeoutError } from '../../../src/agent/policy/refusals.ts';
import { openSpool } from '../../../src/agent/spool/spool.ts';
import type { Lease } from '../../../src/protocol/messages.ts';
import { chain } from '../../support/chain.ts';
import { drawnFlow } from '../../support/drawn-flow.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { fakeEngine, fixture, untilAborted, untilTrue } from '../agent-fixture.ts';

async function policyOf(rules: object) {
  const path = join(await tempFolder(), 'policy.json');
  await writeFile(path, JSON.stringify(rules), { mode: 0o600 });
  return readLocalPolicy(path, { isNamed: true });
}

/** A lease on a machine with these rules. */
async function leased({
  rules = {},
  engine = fakeEngine(),
  lease: over = {},
  clock,
  whyNoRun = () => null,
}: {
  rules?: object;
  engine?: ExecuteFlow;
  lease?: Partial<Lease>;
  clock?: ManualClock;
  whyNoRun?: MachineRules['whyNoRun'];
} = {}) {
  const base = await fixture(clock === undefined ? {} : { clock, random: () => 1 });
  const home = await tempFolder();
  const policy = await policyOf(rules);
  const deeds: LeaseDeed[] = [];
  const lease = base.bridge.lease(over);
  const spool = await openSpool(home, { log: base.log, capBytes: 200 * 1024 ** 2 });
  const run = () =>
    runLease(lease, {
      ...base,
      rules: { policy, whyNoRun },
      spool,
      debts: { take: () => {} },
      executeFlow: engine,
      areHintsHeard: () => true,
      stopSignal: new AbortController().signal,
      hardStopSignal: new AbortController().signal,
      onKept: () => {},
      onDrainOrder: () => {},
      tell: (event) => void (event.type === 'deed' && deeds.push(event.deed as LeaseDeed)),
    });
  return { ...base, home, policy, deeds, lease, run, result: () => base.bridge.results.get(lease.leaseId) };
}

const buying = chain(
  { id: 'open', type: 'navigate', data: { url: 'https://shop.example' } },
  { id: 'buy', type: 'Click', data: { selector: '#buy' } },
);

describe('a flow with a node type that the policy does not allow', () => {
  it('fails before anything opens, and says which rule of which file it is', async () => {
    const { run, result, policy, deeds } = await leased({
      rules: { nodeTypes: ['navigate', 'wait'] },
      lease: { flow: buying },
      engine: async () => {
        throw new Error('the engine must not be called');
      },
    });
    expect(await run()).toEqual({ kind: 'delivered', status: 'failed' });
    expect(result()).toEqual({
      status: 'failed',
      durationMs: 0,
      stepsResult: [],
      error: {
        code: 'policy',
        message: `the policy of this machine does not let flows have nodes of the type click; its owner may add it to "nodeTypes" in ${policy?.path}`,
      },
    });
    expect(deeds.map(({ type }) => type)).toEqual(['run_asked', 'run_refused']);
  });

  it.each([
    ['a branch', 's>c c:false>buy'],
    ['the body of a loop', 's>l l:body>buy'],
    ['a subflow', 's>run head>buy'],
    ['a branch in a loop in a subflow', 's>run head>l l:body>c c:true>buy'],
  ])('is refused where it stands in %s, too', async (_, edges) => {
    const flow = drawnFlow(
      {
        c: ['if', { subject: 'title', value: 'Sold out' }],
        l: ['loop', { kind: 'times', times: 2 }],
        run: ['subflow', { subflow: 'Buy' }],
        head: ['subflowStart', { name: 'Buy' }],
        buy: ['click', { selector: '#buy' }],
      },
      edges,
    );
    const { run, result, deeds } = await leased({
      rules: { nodeTypes: ['navigate', 'if', 'loop', 'subflow'] },
      lease: { flow },
    });
    await run();
    expect(result()?.error?.message).toContain('nodes of the type click;');
    expect(deeds[0]).toMatchObject({
      type: 'run_asked',
      steps: edges.split(' ').length,
      nodeTypes: expect.arrayContaining(['click']),
    });
  });

  it('is refused whatever else the server says with it', async () => {
    const flow = { ...buying, policy: { nodeTypes: ['click'] } };
    const over = { flow, policy: {}, nodeTypes: ['click'], allowRoot: true } as Partial<Lease>;
    const { run, result } = await leased({ rules: { nodeTypes: ['navigate'] }, lease: over });
    await run();
    expect(result()?.error?.code).toBe('policy');
  });
});

describe('a run that the policy allows', () => {
  it('is put down before anything opens: whose it is, its steps and a hash of the flow, no values', async () => {
    const seen: number[] = [];
    const deeds: LeaseDeed[] = [];
    const engine: ExecuteFlow = async (run, hooks) => {
      seen.push(deeds.length);
      return fakeEngine()(run, hooks);
    };
    const scene = await leased({
      engine,
      lease: { flow: buying, name: 'Buy', variables: { PW: 'hunter2!' } },
    });
    deeds.push(...scene.deeds);
    await scene.run();
    expect(scene.deeds).toEqual([
      {
        type: 'run_asked',
        leaseId: scene.lease.leaseId,
        fence: 1,
        attempt: 1,
        name: 'Buy',
        steps: 2,
        nodeTypes: ['navigate', 'click'],
        flowSha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    ]);
    expect(JSON.stringify(scene.deeds)).not.toContain('hunter2');
  });

  it('fails when it takes longer than the policy gives it, however long the bridge does', async () => {
    const clock = new ManualClock();
    let isAtWork = false;
    const { run, result, policy } = await leased({
      clock,
      rules: { maxRunSeconds: 30 },
      lease: { remainingMs: 900_000 },
      engine: fakeEngine(async (_run, { signal }) => {
        isAtWork = true;
        return untilAborted(signal);
      }),
    });
    const running = run();
    await untilTrue(() => isAtWork);
    await clock.advance(29_000);
    expect(result()).toBeUndefined();
    await clock.advance(1_000);
    expect(await running).toEqual({ kind: 'delivered', status: 'failed' });
    expect(result()?.error).toEqual({
      code: 'policy',
      message: `the run took longer than the 30 s that the policy of this machine gives it; its owner may raise "maxRunSeconds" in ${policy?.path}`,
    });
    expect(clock.sleepers).toBe(0);
  });

  it.each([
    ['the process stood still', (clock: ManualClock) => clock.standStill(31_000)],
    ['the machine was asleep', (clock: ManualClock) => clock.sleepMachine(31_000)],
  ])('does nothing more when its time went by while %s, before any timer can say so', async (_why, pause) => {
    const clock = new ManualClock();
    const seen: unknown[] = [];
    const { run, result } = await leased({
      clock,
      rules: { maxRunSeconds: 30 },
      lease: { remainingMs: 900_000 },
      engine: fakeEngine(async (_run, { signal, ensureOurs }) => {
        ensureOurs();
        pause(clock);
        try {
          ensureOurs();
        } catch (error) {
          seen.push(error, signal.reason);
        }
        return { status: 'cancelled', durationMs: 1, stepsResult: [] };
      }),
    });
    await run();
    expect(seen).toEqual([expect.any(PolicyTimeoutError), seen[0]]);
    expect(result()).toMatchObject({ status: 'failed', error: { code: 'policy' } });
  });

  it('that the server gives less time than the policy ends by the time of the server', async () => {
    const clock = new ManualClock();
    let isAtWork = false;
    const { run, result, bridge } = await leased({
      clock,
      rules: { maxRunSeconds: 600 },
      lease: { remainingMs: 10_000 },
      engine: fakeEngine(async (_run, { signal }) => {
        isAtWork = true;
        return untilAborted(signal);
      }),
    });
    bridge.remainingMs = 10_000;
    const running = run();
    await untilTrue(() => isAtWork);
    await clock.advance(11_000);
    await running;
    expect(result()?.error?.code).toBe('run_timeout');
  });

  it('lets no picture leave, nor be kept to be sent later, where uploads are off', async () => {
    let spooled: string[] = [];
    let home = '';
    const scene = await leased({
      rules: { uploads: false },
      engine: fakeEngine(async (_run, { keepScreenshot }) => {
        const kept = await keepScreenshot({
          nodeId: 'w',
          bytes: new Uint8Array([1]),
          contentType: 'image/png',
        });
        spooled = await readdir(join(home, 'spool'), { recursive: true });
        return {
          status: 'failed',
          stepsResult: [
            {
              nodeId: 'w',
              type: 'wait',
              status: 'failed',
              durationMs: 1,
              ...('problem' in kept ? { screenshotProblem: kept.problem } : {}),
            },
          ],
        };
      }),
    });
    home = scene.home;
    await scene.run();
    expect(scene.bridge.of('requestUpload')).toEqual([]);
    expect(scene.bridge.uploads.size).toBe(0);
    expect(spooled.filter((name) => /png|picture/.test(name))).toEqual([]);
    expect(scene.result()?.stepsResult[0]?.screenshotProblem).toContain(`"uploads" in ${scene.policy?.path}`);
    expect(scene.deeds).toContainEqual({ type: 'picture_failed', nodeId: 'w', why: expect.any(String) });
  });

  it('puts down where a picture goes before it goes', async () => {
    const picture = { nodeId: 'w', bytes: new Uint8Array([1, 2]), contentType: 'image/png' } as const;
    const { run, bridge, deeds } = await leased({
      engine: fakeEngine(async (_run, { keepScreenshot }) => {
        await keepScreenshot(picture);
        return undefined;
      }),
    });
    await run();
    expect(deeds.at(-1)).toEqual({
      type: 'picture_leaves',
      nodeId: 'w',
      host: new URL(bridge.url).host,
      bytes: 2,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(bridge.uploads.size).toBe(1);
  });

  it('that the bridge cancels is put down as cancelled', async () => {
    const { run, bridge, lease, deeds } = await leased({
      engine: fakeEngine(async (_run, { signal }) => untilAborted(signal)),
    });
    bridge.orders.set(lease.leaseId, ['cancel']);
    expect(await run()).toEqual({ kind: 'delivered', status: 'cancelled' });
    expect(deeds.map(({ type }) => type)).toEqual(['run_asked', 'run_cancelled']);
  });
});

describe('a machine on which no run may begin', () => {
  it('hands it back with the reason, as an attempt that was made', async () => {
    const { run, bridge } = await leased({
      whyNoRun: () => 'the audit log cannot be written',
      engine: async () => {
        throw new Error('the engine must not be called');
      },
    });
    expect(await run()).toEqual({ kind: 'released', reason: 'cannot_start' });
    expect(bridge.received.map(({ name }) => name)).toEqual(['heartbeat', 'releaseLease']);
    expect(bridge.of('releaseLease')[0]?.body).toMatchObject({ detail: 'the audit log cannot be written' });
  });
});
