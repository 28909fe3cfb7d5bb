import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';
import { Secret } from '../../src/lib/secret.ts';
import { limits } from '../../src/protocol/limits.ts';
import { type RouteName, routePath, routes } from '../../src/protocol/routes.ts';
import { type RequestMessage, type SigningKey, signRequest } from '../../src/protocol/signing.ts';
import { testCapabilities } from '../support/signed-client.ts';
import { readOrder } from './bench-program.ts';

/** What the program is told. */
export interface FleetOrder {
  url: string;
  /** One runner for each key. */
  keys: readonly { keyid: string; secret: string }[];
  /**
   * `runs`: every run is acknowledged and reported passed at once; a line `<runId> <arrival>` for each.
   * `idle`: polls that find nothing and are made again.
   * `events`: every run is told as many events of as it may have, 50 at a time, and then reported passed; a line after
   * every batch.
   */
  mode: 'runs' | 'idle' | 'events';
}

const eventsPerBatch = 50;
/** Idle runners come within this time, as they would after a restart of the bridge. */
const connectWithinMs = 20_000;

/**
 * Many runners without a browser in one process, each talking as a real one does, every request signed. Answers are not
 * verified: that is the runner's own cost, and this program stands for many machines. Ends with its stdin.
 */
async function main(): Promise<void> {
  const { order, ended } = await readOrder<FleetOrder>();
  const pool = new Pool(order.url, { connections: null, pipelining: 1, headersTimeout: 60_000 });
  const loops = order.keys.map(({ keyid, secret }) => {
    const key = { keyid, secret: new Secret(secret) };
    const call: Call = (name, params, body) => send(pool, order.url, key, name, params, body);
    return runnerLoop(call, order.mode, ended);
  });
  process.stdout.write('ready\n');
  await Promise.race([
    Promise.all(loops),
    new Promise((resolve) => ended.addEventListener('abort', resolve)),
  ]);
  await pool.destroy();
  process.exit(0);
}

type Call = (name: RouteName, params: Record<string, string>, body: object) => Promise<unknown>;

async function runnerLoop(call: Call, mode: FleetOrder['mode'], signal: AbortSignal): Promise<void> {
  if (mode === 'idle') await delay(Math.random() * connectWithinMs);
  while (!signal.aborted) {
    try {
      const { leases } = (await call(
        'pollLeases',
        {},
        { slots: 1, waitMs: 25_000, capabilities: testCapabilities },
      )) as { leases: { leaseId: string; runId: string; fence: number }[] };
      for (const { leaseId, runId, fence } of leases) {
        if (mode === 'runs') process.stdout.write(`${runId} ${performance.timeOrigin + performance.now()}\n`);
        await call('heartbeat', { leaseId }, { fence, nodeId: null });
        if (mode === 'events') await tellAll(call, leaseId, fence, signal);
        const result = { status: 'passed', durationMs: 1, stepsResult: [] };
        await call('postResult', { leaseId }, { fence, result });
      }
    } catch (error) {
      if (signal.aborted) return;
      process.stderr.write(`${String(error)}\n`);
      // As a runner does: not at once, and not all together.
      await delay(1_000 + Math.random() * 9_000);
    }
  }
}

async function tellAll(call: Call, leaseId: string, fence: number, signal: AbortSignal): Promise<void> {
  const at = new Date().toISOString();
  for (let told = 0; told < limits.eventsPerAttempt && !signal.aborted; told += eventsPerBatch) {
    const events = Array.from({ length: eventsPerBatch }, (_, index) => {
      const nodeId = `node-${Math.floor(index / 2)}`;
      const event =
        index % 2 === 0
          ? { type: 'step_start', nodeId }
          : { type: 'step_complete', nodeId, status: 'passed', durationMs: 12, logs: 'Clicked #button' };
      return { seq: told + index + 1, at, event };
    });
    await call('postEvents', { leaseId }, { fence, events });
    process.stdout.write(`${told + eventsPerBatch}\n`);
  }
}

async function send(
  pool: Pool,
  url: string,
  key: SigningKey,
  name: RouteName,
  params: Record<string, string>,
  content: object,
): Promise<unknown> {
  const path = routePath(name, params);
  const body = Buffer.from(JSON.stringify(content));
  const headers = { 'content-type': 'application/json' };
  const message: RequestMessage = { method: routes[name].method, url: url + path, headers, body };
  const answer = await pool.request({
    method: 'POST',
    path,
    headers: { ...headers, ...signRequest(message, key, Date.now()) },
    body,
  });
  const text = await answer.body.text();
  if (answer.statusCode !== 200) throw new Error(`${name}: ${answer.statusCode} ${text}`);
  return JSON.parse(text);
}

await main();
