import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ExecuteFlow } from '../../src/agent/lease/run-lease.ts';
import { noSecrets } from '../../src/flow/local-secrets.ts';
import { chain } from '../support/chain.ts';
import { untilTrue } from './agent-fixture.ts';
import { agent } from './agent-scene.ts';

// A bridge that was taken over says what it likes, signed. Nothing of it decides a path, an argument or an address here.

const long = 'x'.repeat(10_000);
const hostileTexts = [
  '../../../../tmp/evil',
  '/etc/passwd',
  'a\u0000b',
  '__proto__',
  'constructor',
  long,
  '-rf',
  '%2e%2e%2f',
  '\u202e..\\..\\',
];

/** A text as the name of a test may hold it. */
function shown(text: string): string {
  return JSON.stringify(text).slice(0, 40);
}

/** Everything below a folder, sorted. */
async function below(folder: string): Promise<string[]> {
  return (await readdir(folder, { recursive: true })).sort();
}

describe('a lease of a hostile bridge', () => {
  it.each([
    ...hostileTexts.flatMap((text) => [
      { what: `the lease id ${shown(text)}`, over: { leaseId: text } },
      { what: `the run id ${shown(text)}`, over: { runId: text } },
    ]),
    { what: 'fence: ../1', over: { fence: '../1' } },
    { what: 'fence: -1', over: { fence: -1 } },
    { what: 'fence: 1.5', over: { fence: 1.5 } },
    { what: 'fence: 1e300', over: { fence: 1e300 } },
    { what: 'ttlMs: x', over: { ttlMs: 'x' } },
    { what: 'flow: nodes', over: { flow: 'nodes' } },
  ])('with $what is no lease: nothing of it is begun, and the next good one is', async ({ over }) => {
    const executed: string[] = [];
    const engine: ExecuteFlow = async (_run, { mayAct }) => {
      await mayAct;
      executed.push('run');
      return { status: 'passed', durationMs: 1, stepsResult: [] };
    };
    const scene = await agent(engine, { once: true });
    const bad = { ...scene.bridge.lease(), ...over };
    scene.bridge.script('pollLeases', { json: { leases: [bad], orders: [] } });
    const running = scene.run();
    await untilTrue(() => scene.told.some(({ type }) => type === 'disconnected'));
    expect(executed).toEqual([]);
    const before = await below(scene.home);
    expect(before.filter((name) => name.startsWith('spool/'))).toEqual([]);
    scene.bridge.queueLease();
    expect(await running).toBe('once');
    expect(executed).toEqual(['run']);
  });

  it('that brings arguments, a program, an environment and a proxy brings none of them to the engine', async () => {
    let given: unknown = null;
    const engine: ExecuteFlow = async (run, { mayAct }) => {
      await mayAct;
      given = run;
      return { status: 'passed', durationMs: 1, stepsResult: [] };
    };
    const scene = await agent(engine, { once: true });
    const extra = {
      args: ['--no-sandbox'],
      executablePath: '/bin/sh',
      env: { LD_PRELOAD: '/tmp/evil.so' },
      proxy: { server: 'http://evil.example' },
      channel: 'chrome',
      policy: null,
      network: 'open',
      cdpEndpoint: 'ws://evil.example',
    };
    const flow = {
      ...chain({ id: 'a', type: 'navigate', ...extra, data: { url: 'https://x.example' } }),
      ...extra,
    };
    const lease = { ...scene.bridge.lease(), flow, ...extra };
    scene.bridge.script('pollLeases', { json: { leases: [lease], orders: [] } });
    await scene.run();
    expect(given).toEqual({
      secrets: noSecrets,
      steps: [{ nodeId: 'a', type: 'navigate', fields: { url: 'https://x.example' } }],
      variables: {},
    });
  });

  it('that brings them within a node is refused, each by its name', async () => {
    let hasRun = false;
    const engine: ExecuteFlow = async (_run, { mayAct }) => {
      await mayAct;
      hasRun = true;
      return { status: 'passed', durationMs: 1, stepsResult: [] };
    };
    const scene = await agent(engine, { once: true });
    const data = { url: 'https://x.example', args: ['--no-sandbox'], executablePath: '/bin/sh' };
    const lease = { ...scene.bridge.lease(), flow: chain({ id: 'a', type: 'navigate', data }) };
    scene.bridge.script('pollLeases', { json: { leases: [lease], orders: [] } });
    await scene.run();
    expect(hasRun).toBe(false);
    expect(scene.bridge.results.get(lease.leaseId)?.error?.problems).toEqual([
      expect.stringContaining('unknown field "args"'),
      expect.stringContaining('unknown field "executablePath"'),
    ]);
  });

  it.each(hostileTexts.filter((text) => text !== long).map((nodeId) => ({ nodeId, what: shown(nodeId) })))(
    'whose node is called $what puts its picture and events nowhere but in their folder',
    async ({ nodeId }) => {
      let during: string[] = [];
      let home = '';
      const engine: ExecuteFlow = async (_run, { mayAct, onEvent, keepScreenshot }) => {
        await mayAct;
        onEvent({ type: 'step_start', nodeId });
        await keepScreenshot({ nodeId, bytes: new Uint8Array([1]), contentType: 'image/png' });
        during = await below(home);
        return { status: 'failed', durationMs: 1, stepsResult: [] };
      };
      const scene = await agent(engine, { once: true });
      home = scene.home;
      scene.bridge.storageStatus = 500;
      const lease = scene.bridge.queueLease({
        name: nodeId,
        flow: chain({ id: nodeId, type: 'wait', data: { ms: 1 } }),
        variables: { ['__proto__x']: nodeId },
      });
      await scene.run();
      const own = `spool/${lease.leaseId}-${lease.fence}`;
      const inSpool = during.filter((name) => name.startsWith('spool/'));
      expect(inSpool.length).toBeGreaterThan(2);
      for (const name of inSpool) expect(name === own || name.startsWith(`${own}/`)).toBe(true);
      for (const name of inSpool) expect(name.slice(own.length)).toMatch(/^(\/[a-z0-9.-]+)?$/);
      expect(await readdir(join(home, 'spool'))).toEqual([]);
    },
  );
});
