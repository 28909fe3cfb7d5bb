import { expect, it, onTestFinished } from 'vitest';
import { runAgent } from '../../src/agent/agent.ts';
import type { AgentEvent } from '../../src/agent/agent-event.ts';
import { createBridgeClient } from '../../src/agent/client/bridge-client.ts';
import { createTransport } from '../../src/agent/client/transport.ts';
import { newestKey } from '../../src/agent/credentials/credentials.ts';
import { describeHost } from '../../src/agent/credentials/host.ts';
import { createIdentity } from '../../src/agent/credentials/identity.ts';
import { pairRunner } from '../../src/agent/credentials/pairing.ts';
import { createPulse } from '../../src/agent/health/pulse.ts';
import { ShutdownError } from '../../src/agent/lease/run-outcome.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLog } from '../../src/lib/log.ts';
import { fakeEngine } from '../agent/agent-fixture.ts';
import { backendDatabase, backendFlowId } from '../support/backend-database.ts';
import { chain } from '../support/chain.ts';
import { loadBalancer } from '../support/load-balancer.ts';
import { startRedis } from '../support/redis-server.ts';
import { type BridgeProcess, startSharedBridge } from '../support/system.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

const old = 'the worker secret of yesterday 0123456789';
const fresh = 'the worker secret of tomorrow 0123456789';
const noProxy = { httpProxy: '', httpsProxy: '', noProxy: '' };
// The look whether a key is due comes every 60 s times 0.5 to 1.5; this number makes it one that can be told from other waits.
const random = () => 0.123;
const lookMs = 60_000 * (0.5 + random());
const clock = {
  ...systemClock,
  sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms === lookMs ? 500 : ms, signal),
};

it('WORKER_SECRET is replaced on two bridges by the three steps while a runner executes run after run', async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.remove());
  const database = await backendDatabase();
  onTestFinished(() => database.drop());
  const balancer = await loadBalancer();
  onTestFinished(() => balancer.close());
  const servers = { databaseUrl: database.url, redisUrl: redis.url };
  let bridges: BridgeProcess[] = [];
  onTestFinished(async () => {
    await Promise.all(bridges.map(({ program }) => program.stop()));
  });
  const serve = async (WORKER_SECRET: string, WORKER_SECRET_PREVIOUS = '') => {
    for (let replaced = 0; replaced < 2; replaced += 1) {
      const secrets = { WORKER_SECRET, WORKER_SECRET_PREVIOUS, PUBLIC_URL: balancer.url };
      const started = await startSharedBridge(servers, secrets);
      const gone = bridges.length < 2 ? undefined : bridges.shift();
      bridges = [...bridges, started];
      balancer.use(bridges.map(({ url }) => url));
      await gone?.program.stop();
    }
  };
  const operators = (): BridgeProcess => {
    const [one] = bridges;
    if (one === undefined) throw new Error('there is no bridge');
    return one;
  };

  await serve(old);
  const transport = createTransport(noProxy);
  onTestFinished(() => transport.close());
  const paired = await pairRunner(
    {
      code: await operators().pairingCode({ autoApprove: true }),
      apiBaseUrl: balancer.url,
      host: describeHost('1.2.3'),
      name: null,
      labels: [],
      managedPairSecret: null,
    },
    { redeemed() {}, waiting() {}, otherAddress() {} },
    { transport, clock, random, log: silentLog, version: '1.2.3', signal: new AbortController().signal },
  );
  const identity = createIdentity(paired, async () => {});
  const client = createBridgeClient({
    apiBaseUrl: balancer.url,
    keys: identity,
    transport,
    clock,
    log: silentLog,
    version: '1.2.3',
  });
  const drain = new AbortController();
  const told: AgentEvent[] = [];
  const running = runAgent(
    {
      home: await tempFolder(),
      concurrency: 2,
      once: false,
      version: '1.2.3',
      pid: process.pid,
      spoolBytes: 1024 ** 2,
      whyInterrupted: () => '',
    },
    {
      client,
      transport,
      storage: { whyNot: () => null, send: transport.send, proxyFor: () => null, close: async () => {} },
      rules: { policy: null, whyNoRun: () => null },
      identity,
      clock,
      random,
      log: silentLog,
      pulse: createPulse(clock),
      startEngine: async () => ({
        executeFlow: fakeEngine(async () => {
          await systemClock.sleep(300);
          return undefined;
        }),
        capabilities: {
          protocol: 1,
          qualinetVersion: '1.2.3',
          platform: 'linux',
          arch: 'x64',
          nodeVersion: '20',
          concurrency: 2,
          browser: { kind: 'none' },
        },
      }),
      drainSignal: drain.signal,
      stopSignal: new AbortController().signal,
      tell: (event) => told.push(event),
    },
  );
  running.catch(() => {});
  const runIds: string[] = [];
  let isOver = false;
  const submitting = (async () => {
    const flow = chain({ id: 'open', type: 'navigate', data: { url: 'https://example.test/' } });
    while (!isOver) {
      const submitted = await operators()
        .submit({ flowId: backendFlowId, ...flow })
        .catch(() => null);
      if (submitted !== null) runIds.push(submitted);
      await systemClock.sleep(300);
    }
  })();
  const ended = () => told.filter(({ type }) => type === 'run_ended').length;
  const goesOn = async (step: string) => {
    const before = ended();
    await until(`runs end ${step}`, () => ended() > before + 4, 20_000);
  };
  await goesOn('before');
  await serve(old, fresh);
  await goesOn('after step 1');
  await serve(fresh, old);
  const onOldSecret = async () =>
    (await operators().operator<{ onPreviousSecret: string[] }>('GET', '/v1/runners')).onPreviousSecret;
  await until('the runner has renewed its key', async () => (await onOldSecret()).length === 0, 30_000);
  await goesOn('after step 2');
  await serve(fresh);
  await goesOn('after step 3');
  isOver = true;
  await submitting;

  for (const runId of runIds) {
    const status = async () => (await operators().read(runId)).status;
    await until('the run has passed', async () => (await status()) === 'passed', 20_000);
  }
  expect(newestKey(identity.credentials).generation).toBeGreaterThan(1);
  expect(identity.credentials.keys).toHaveLength(1);
  drain.abort(new ShutdownError('drain'));
  expect(await running).toBe('drained');
}, 150_000);
