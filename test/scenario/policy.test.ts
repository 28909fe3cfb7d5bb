import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ChildProgram, startProgram } from '../../src/demo/child-program.ts';
import { type DemoSite, startDemoSite } from '../../src/demo/demo-site.ts';
import { chain } from '../support/chain.ts';
import {
  type BridgeProcess,
  pairRunner,
  runnerEnv,
  runnerProgram,
  startBridgeProcess,
} from '../support/system.ts';
import { suiteFolder, tempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

async function ending(args: readonly string[], env: Record<string, string>) {
  const program = startProgram(runnerProgram, args, { env });
  return { code: await program.ended, said: program.said() };
}

async function flowFile(folder: string, ...nodes: Parameters<typeof chain>): Promise<string> {
  const path = join(folder, 'flow.json');
  await writeFile(path, JSON.stringify(chain(...nodes)));
  return path;
}

describe('a runner under a local policy, beside a real bridge', () => {
  const folder = suiteFolder();
  const lines: string[] = [];
  let site: DemoSite;
  let bridge: BridgeProcess;
  let runner: ChildProgram;
  const home = (): string => join(folder(), 'home');
  const policyPath = (): string => join(home(), 'policy.json');
  const start = (): ChildProgram =>
    startProgram(runnerProgram, ['start'], { env: runnerEnv(home()), onStderr: (line) => lines.push(line) });
  const obey = (policy: unknown) => writeFile(policyPath(), JSON.stringify(policy), { mode: 0o644 });

  beforeAll(async () => {
    site = await startDemoSite();
    bridge = await startBridgeProcess(join(folder(), 'bridge'));
    await pairRunner(bridge, home());
    await obey({
      hosts: ['127.0.0.1'],
      nodeTypes: ['navigate', 'assertion', 'wait'],
      maxRunSeconds: 3,
      uploads: false,
      audit: 'required',
    });
    runner = start();
    await until('it is connected', () => lines.some((line) => line.includes('connected; waiting')), 30_000);
  });
  afterAll(async () => {
    await runner?.stop();
    await bridge?.program.stop();
    await site?.close();
  });

  it('says at its start which rules are in force', () => {
    expect(lines.join('\n')).toContain(
      `policy ${policyPath()}: hosts 127.0.0.1; nodeTypes navigate, assertion, wait; maxRunSeconds 3; uploads false; audit required`,
    );
  });

  it('fails a flow with a node type that is not allowed, before anything opens', async () => {
    const runId = await bridge.submit(
      chain(
        { id: 'open', type: 'navigate', data: { url: site.url } },
        { id: 'buy', type: 'click', data: { selector: 'button' } },
      ),
    );
    const run = await bridge.over(runId, 20_000);
    expect(run).toMatchObject({ status: 'failed', stepsResult: [], error: { code: 'policy' } });
    expect(run.error?.message).toContain(`"nodeTypes" in ${policyPath()}`);
  });

  it('ends a run that takes longer than it gives, with what was done by then', async () => {
    const runId = await bridge.submit(
      chain(
        { id: 'open', type: 'navigate', data: { url: 'about:blank' } },
        { id: 'stay', type: 'wait', data: { ms: 600_000 } },
      ),
    );
    const run = await bridge.over(runId, 20_000);
    expect(run).toMatchObject({ status: 'failed', error: { code: 'policy' } });
    expect(run.stepsResult?.map(({ status }) => status)).toEqual(['passed', 'failed']);
    expect(run.durationMs).toBeLessThan(10_000);
  });

  it('sends no picture of a failure, and the step says why', async () => {
    const runId = await bridge.submit(
      chain(
        { id: 'open', type: 'navigate', data: { url: site.url } },
        { id: 'no', type: 'assertion', data: { selector: 'h1', value: 'Coffee', timeoutMs: 200 } },
      ),
    );
    const last = (await bridge.over(runId, 20_000)).stepsResult?.at(-1);
    expect(last?.screenshotUrl).toBeUndefined();
    expect(last?.screenshotProblem).toContain(`"uploads" in ${policyPath()}`);
  });

  it('lets no page reach another host, and the step says which rule it is', async () => {
    const url = site.url.replace('127.0.0.1', 'localhost');
    const runId = await bridge.submit(chain({ id: 'open', type: 'navigate', data: { url } }));
    const last = (await bridge.over(runId, 20_000)).stepsResult?.at(-1);
    expect(last).toMatchObject({ status: 'failed', errorKind: 'blocked' });
    expect(last?.error).toContain(`"hosts" of ${policyPath()}`);
    expect(await readFile(join(home(), 'audit.jsonl'), 'utf8')).toContain('"event":"host_blocked"');
  });

  it('takes no run whose audit log cannot be written', async () => {
    const entries = async (event: string): Promise<number> =>
      (await readFile(join(home(), 'audit.jsonl'), 'utf8')).split(`"event":"${event}"`).length - 1;
    await until(
      'the runs before are put down',
      async () => (await entries('run_asked')) === (await entries('run_ended')),
    );
    await rm(join(home(), 'audit.jsonl'));
    await mkdir(join(home(), 'audit.jsonl'));
    const runId = await bridge.submit(chain({ id: 'open', type: 'navigate', data: { url: 'about:blank' } }));
    await until('it is handed back', () => lines.some((line) => line.includes('handed back (cannot_start)')));
    expect((await bridge.read(runId)).stepsResult).toBeNull();
    await rm(join(home(), 'audit.jsonl'), { recursive: true });
    expect((await bridge.over(runId, 60_000)).status).toBe('passed');
    const text = await readFile(join(home(), 'audit.jsonl'), 'utf8');
    expect(text.split('\n')[0]).toContain('entries_missed');
  });

  it('reads its policy at the start: one that is wrong is refused with every fault, and nothing begins', async () => {
    await runner.stop();
    await obey({ uplods: false, maxRunSeconds: 'ten' });
    const { code, said } = await ending(['start'], runnerEnv(home()));
    expect(code, said).toBe(78);
    expect(said).toContain('did you mean uploads?');
    expect(said).toContain('maxRunSeconds: must be a whole number of seconds');
    await obey({ workspaces: ['another'] });
    const other = await ending(['start'], runnerEnv(home()));
    expect([other.code, other.said]).toEqual([
      78,
      expect.stringContaining('no runs of the workspace default'),
    ]);
    const missing = await ending(['start', '--policy', join(home(), 'none.json')], runnerEnv(home()));
    expect([missing.code, missing.said]).toEqual([78, expect.stringContaining('is not there')]);
  });
});

describe('qualinet run', () => {
  it('obeys a policy that is named, and only that', async () => {
    const folder = await tempFolder();
    const flow = await flowFile(folder, { id: 'w', type: 'wait', data: { ms: 10 } });
    const policy = join(folder, 'policy.json');
    await writeFile(policy, '{ "nodeTypes": ["navigate"] }', { mode: 0o600 });
    const env = runnerEnv(folder);
    expect((await ending(['run', flow], env)).code).toBe(0);
    const refused = await ending(['run', flow, '--policy', policy], env);
    expect([refused.code, refused.said]).toEqual([64, expect.stringContaining(`"nodeTypes" in ${policy}`)]);
    expect((await ending(['run', flow], { ...env, QUALINET_POLICY: policy })).code).toBe(64);
  });

  it('fails when it takes longer than the policy that is named', async () => {
    const folder = await tempFolder();
    const flow = await flowFile(folder, { id: 'w', type: 'wait', data: { ms: 600_000 } });
    const policy = join(folder, 'policy.json');
    await writeFile(policy, '{ "maxRunSeconds": 1 }', { mode: 0o600 });
    const { code, said } = await ending(['run', flow, '--policy', policy, '--json'], runnerEnv(folder));
    expect(code, said).toBe(1);
    expect(said).toContain('"code":"policy"');
  });
});

describe('root', () => {
  const { QUALINET_ALLOW_ROOT: _allowed, ...bare } = runnerEnv('/nowhere');
  const isRoot = process.getuid?.() === 0;

  it('does not start a runner, unless it says that it may', async () => {
    const env = { ...bare, QUALINET_HOME: await tempFolder() };
    const refused = await ending(['start'], env);
    expect(refused.code).toBe(78);
    const what = 'the runner does not run as root';
    expect(refused.said.includes(what)).toBe(isRoot);
    for (const advice of isRoot ? ['another user', 'qualinet service install', '--allow-root'] : []) {
      expect(refused.said).toContain(advice);
    }
    expect((await ending(['start', '--allow-root'], env)).said).not.toContain(what);
    expect((await ending(['start'], { ...env, QUALINET_ALLOW_ROOT: 'true' })).said).not.toContain(what);
  });

  it('is warned once by `run`, and not when it says that it may', async () => {
    const folder = await tempFolder();
    const flow = await flowFile(folder, { id: 'w', type: 'wait', data: { ms: 10 } });
    const env = { ...bare, QUALINET_HOME: folder };
    const { code, said } = await ending(['run', flow], env);
    expect(code, said).toBe(0);
    expect(said.split('without its sandbox').length - 1).toBe(isRoot ? 1 : 0);
    expect((await ending(['run', flow, '--allow-root'], env)).said).not.toContain('without its sandbox');
  });
});
