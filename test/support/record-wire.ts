import { mkdir, mkdtemp, readFile, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { type ChildProgram, runToEnd, startProgram } from '../../src/demo/child-program.ts';
import { version } from '../../src/lib/version.ts';
import { problemSchema } from '../../src/protocol/problem.ts';
import { type Route, type RouteName, routes } from '../../src/protocol/routes.ts';
import { chain } from './chain.ts';
import { type RecordingProxy, startRecordingProxy } from './recording-proxy.ts';
import { type Site, startSite } from './site.ts';
import {
  type BridgeProcess,
  descendants,
  runnerEnv,
  runnerProgram,
  startBridgeProcess,
  workerSecret,
} from './system.ts';
import { until } from './until.ts';
import { wireForm } from './wire-form.ts';
import type { OperatorStep, RecordedAnswer, RecordedRequest } from './wire-recording.ts';

const managedSecret = 'a managed pairing secret of the recording';
const managedEnv = { QUALINET_ALLOW_MANAGED_PAIR: 'true', QUALINET_MANAGED_PAIR_SECRET: managedSecret };

/**
 * Records the wire of this version's runner to `<folder>/<version>`: a real runner and a real bridge, a proxy between them, and
 * everything a runner can say. `browser` is the path of a headless shell.
 */
export async function main(folder: string, browser: string): Promise<void> {
  const place = await mkdtemp(join(tmpdir(), 'qualinet-recording-'));
  const exchanges: (RecordedRequest | OperatorStep)[] = [];
  const proxy = await startRecordingProxy((exchange) => {
    const form = wireForm(exchange);
    if (isWorthKeeping(form, exchange.answerBody, exchanges)) exchanges.push(form);
  });
  const site = await startSite({ '/': '<h1>recorded</h1>' });
  const bridge = await startBridgeProcess(join(place, 'bridge'), {
    PUBLIC_URL: proxy.url,
    WORKER_SECRET: workerSecret,
    // Short, so that runs of seconds have heartbeats.
    QUALINET_LEASE_TTL_SECONDS: '6',
    ...managedEnv,
  });
  proxy.target = bridge.url;
  try {
    await record({ place, browser, exchanges, proxy, site, bridge });
  } finally {
    await bridge.program.stop();
    await Promise.all([proxy.close(), site.close()]);
    await rm(place, { recursive: true, force: true });
  }
  const target = join(folder, version);
  await mkdir(target, { recursive: true });
  await writeFile(join(target, 'exchanges.jsonl'), lines(exchanges));
  await writeFile(join(target, 'answers.jsonl'), lines(answerSchemas()));
}

interface Scene {
  place: string;
  browser: string;
  exchanges: (RecordedRequest | OperatorStep)[];
  proxy: RecordingProxy;
  site: Site;
  bridge: BridgeProcess;
}

async function record({ place, browser, exchanges, proxy, site, bridge }: Scene): Promise<void> {
  const shell = join(place, 'chromium-headless-shell');
  await symlink(browser, shell);
  const home = join(place, 'runner');
  const env = { ...runnerEnv(home), QUALINET_BROWSER: shell, API_BASE_URL: proxy.url };
  const has = (route: string, from = 0) =>
    exchanges.slice(from).some((exchange) => 'route' in exchange && exchange.route === route);
  const heard = (route: string, from: number) =>
    until(`the runner has said ${route}`, () => has(route, from), 60_000);
  const start = (): ChildProgram => startProgram(runnerProgram, ['start'], { env });
  const submit = async (...nodes: Parameters<typeof chain>): Promise<string> => {
    const flow = chain(...nodes);
    exchanges.push({
      operator: 'submit',
      flow: JSON.parse(JSON.stringify(flow).replaceAll(site.url, 'http://127.0.0.1:1')),
    });
    return bridge.submit(flow);
  };
  const cancel = async (runId: string): Promise<void> => {
    exchanges.push({ operator: 'cancel' });
    await bridge.operator('POST', `/v1/runs/${runId}/cancel`);
  };
  const over = (runId: string) =>
    until(
      'the run is over',
      async () => /passed|failed|cancelled/.test((await bridge.read(runId)).status),
      60_000,
    );
  const waiting = { id: 'long', type: 'wait', data: { ms: 60_000 } };
  const short = { id: 'short', type: 'wait', data: { ms: 10 } };

  // Pairing: asked before and after the approval.
  exchanges.push({ operator: 'code', managed: false });
  const pairing = startProgram(
    runnerProgram,
    ['pair', await bridge.pairingCode({ autoApprove: false }), '--name', 'recorded', '--labels', 'one'],
    { env },
  );
  await heard('claimCredentials', 0);
  const { runners } = await bridge.operator<{ runners: { runnerId: string }[] }>('GET', '/v1/runners');
  exchanges.push({ operator: 'approve' });
  await bridge.operator('POST', `/v1/runners/${runners[0]?.runnerId}/decision`, { approve: true });
  if ((await pairing.ended) !== 0) throw new Error(pairing.said());

  let runner = start();
  await heard('pollLeases', 0);
  await heard('control', 0);
  await over(
    await submit(
      { id: 'open', type: 'navigate', data: { url: `${site.url}/` } },
      { id: 'read', type: 'extract', data: { selectors: ['#gone', 'h1'], variable: 'TITLE' } },
      { id: 'pause', type: 'wait', data: { ms: 2_600 } },
      short,
    ),
  );
  await over(
    await submit(
      { id: 'open', type: 'navigate', data: { url: `${site.url}/` } },
      { id: 'fail', type: 'click', data: { selector: '#nothing', timeoutMs: 300 } },
    ),
  );
  let from = exchanges.length;
  let run = await submit(waiting);
  await heard('postEvents', from);
  await cancel(run);
  await over(run);

  // A result that could not be delivered while its process lived goes alone.
  proxy.refused.add('postResult');
  from = exchanges.length;
  run = await submit(short);
  await until('the result is owed', () => runner.said().includes('the result waits'), 30_000);
  await kill(runner);
  proxy.refused.clear();
  runner = start();
  await heard('postResult', from);

  // Handed back: interrupted, stopped, and by a browser that does not start any more.
  from = exchanges.length;
  run = await submit(waiting);
  await heard('postEvents', from);
  await kill(runner);
  await cancel(run);
  runner = start();
  await heard('releaseLease', from);
  from = exchanges.length;
  run = await submit(waiting);
  await heard('postEvents', from);
  runner.process.kill('SIGTERM');
  await until('it drains', () => runner.said().includes('a second signal'));
  runner.process.kill('SIGTERM');
  await heard('releaseLease', from);
  await cancel(run);
  await runner.ended;
  runner = start();
  await until('it waits for runs', () => runner.said().includes('connected'), 30_000);
  await unlink(shell);
  for (const pid of await descendants(runner.process.pid ?? 0)) process.kill(pid, 'SIGKILL');
  from = exchanges.length;
  run = await submit(short);
  await heard('releaseLease', from);
  await cancel(run);
  await until('it knows that the run was taken back', () =>
    runner.said().includes('handed back (cannot_start)'),
  );
  await kill(runner);
  await symlink(browser, shell);

  // A key near its end is renewed, then given up.
  await makeKeyOld(join(home, 'runner.json'));
  runner = start();
  await heard('rotateCredentials', 0);
  from = exchanges.length;
  await heard('runnerSelf', from).catch(() => {});
  await runner.stop();
  await runToEnd(runnerProgram, ['unpair'], { env });

  exchanges.push({ operator: 'code', managed: true });
  const code = await bridge.pairingCode({ managed: true, autoApprove: true });
  const other = { ...env, QUALINET_HOME: join(place, 'managed'), ...managedEnv };
  await runToEnd(runnerProgram, ['pair', code, '--managed'], { env: other });

  from = exchanges.length;
  const enrolled = startProgram(runnerProgram, ['start'], {
    env: { ...env, QUALINET_HOME: join(place, 'enrolled'), WORKER_SECRET: workerSecret },
  });
  await heard('pollLeases', from);
  await enrolled.stop();
}

/** Idle polls and heartbeats that say nothing new are left out; polls that brought nothing but the first one too. */
function isWorthKeeping(
  form: RecordedRequest,
  answerBody: Buffer,
  exchanges: readonly (RecordedRequest | OperatorStep)[],
): boolean {
  const lastSubmit = exchanges.findLastIndex(
    (exchange) => 'operator' in exchange && exchange.operator === 'submit',
  );
  const lastCode = exchanges.findLastIndex(
    (exchange) => 'operator' in exchange && exchange.operator === 'code',
  );
  const since = (index: number) =>
    exchanges
      .slice(index + 1)
      .filter(
        (exchange): exchange is RecordedRequest => 'route' in exchange && exchange.route === form.route,
      );
  switch (form.route) {
    case 'pollLeases':
      return answerBody.includes('"leaseId"') || since(-1).length === 0 || since(lastCode).length === 0;
    case 'control':
      return since(-1).length === 0;
    case 'claimCredentials':
      return since(lastCode).length === 0 || answerBody.includes('"approved"');
    case 'heartbeat':
      return since(lastSubmit).every(({ body }) => isAtNode(body) !== isAtNode(form.body));
    default:
      return true;
  }
}

function isAtNode(body: unknown): boolean {
  return (body as { nodeId: string | null }).nodeId !== null;
}

/** Ends a runner as a lost power supply would, and what it started. */
async function kill(runner: ChildProgram): Promise<void> {
  const pids = await descendants(runner.process.pid ?? 0);
  runner.process.kill('SIGKILL');
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It went with the runner.
    }
  }
  await runner.ended;
}

async function makeKeyOld(path: string): Promise<void> {
  const file = JSON.parse(await readFile(path, 'utf8')) as {
    keys: { notBefore: string; notAfter: string }[];
  };
  const day = 86_400_000;
  for (const key of file.keys) {
    key.notBefore = new Date(Date.now() - 85 * day).toISOString();
    key.notAfter = new Date(Date.now() + 5 * day).toISOString();
  }
  await writeFile(path, JSON.stringify(file), { mode: 0o600 });
}

/** What a runner of this version parses answers with. */
function answerSchemas(): RecordedAnswer[] {
  const answers: RecordedAnswer[] = [{ route: 'problem', schema: schemaOf(problemSchema) }];
  for (const name of Object.keys(routes) as RouteName[]) {
    const { auth, response }: Route = routes[name];
    const isOfRunners = auth === 'none' || auth === 'runner' || auth === 'enrol' || auth === 'managed';
    if (isOfRunners && typeof response !== 'string')
      answers.push({ route: name, schema: schemaOf(response) });
  }
  return answers;
}

function schemaOf(schema: z.ZodType): RecordedAnswer['schema'] {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as RecordedAnswer['schema'];
}

/** One value a line: small, and a change of one is a change of one line. */
function lines(values: readonly unknown[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join('');
}
