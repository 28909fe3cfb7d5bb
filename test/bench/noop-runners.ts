import { createInterface } from 'node:readline';
import { Pool } from 'undici';
import { Secret } from '../../src/lib/secret.ts';
import { type RouteName, routePath, routes } from '../../src/protocol/routes.ts';
import { type RequestMessage, type SigningKey, signRequest } from '../../src/protocol/signing.ts';
import { testCapabilities } from '../support/signed-client.ts';

/** What the program is told on its command line, as JSON. */
export interface NoopOrder {
  url: string;
  /** One runner for each key. */
  keys: readonly { keyid: string; secret: string }[];
  /**
   * `runs`: every run is taken, acknowledged and reported passed at once; a line `<runId> <arrival>` for each.
   * `idle`: polls that wait 25 s and are made again.
   */
  mode: 'runs' | 'idle';
}

/**
 * Runners without a browser, many in one process, each as a real one talks: a poll, a heartbeat, a result, every request
 * signed. Answers are not verified: that is the runner's own cost, and this program stands for many machines. Ends with
 * its stdin.
 */
export async function main(): Promise<void> {
  const order = JSON.parse(process.argv[2] ?? '') as NoopOrder;
  const pool = new Pool(order.url, { connections: null, pipelining: 1, headersTimeout: 60_000 });
  const ended = new AbortController();
  createInterface({ input: process.stdin }).on('close', () => ended.abort());
  const loops = order.keys.map(({ keyid, secret }) =>
    runnerLoop(pool, order, { keyid, secret: new Secret(secret) }, ended.signal),
  );
  process.stdout.write('ready\n');
  await Promise.all(loops);
  await pool.destroy();
}

async function runnerLoop(pool: Pool, { url, mode }: NoopOrder, key: SigningKey, signal: AbortSignal) {
  const call = (name: RouteName, params: Record<string, string>, body: object) =>
    send(pool, url, key, name, params, body, signal);
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
        await call(
          'postResult',
          { leaseId },
          { fence, result: { status: 'passed', durationMs: 1, stepsResult: [] } },
        );
      }
    } catch (error) {
      if (signal.aborted) return;
      process.stderr.write(`${String(error)}\n`);
    }
  }
}

async function send(
  pool: Pool,
  url: string,
  key: SigningKey,
  name: RouteName,
  params: Record<string, string>,
  body: object,
  signal: AbortSignal,
): Promise<unknown> {
  const path = routePath(name, params);
  const message: RequestMessage = {
    method: routes[name].method,
    url: url + path,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify(body)),
  };
  const answer = await pool.request({
    method: 'POST',
    path,
    headers: { 'content-type': 'application/json', ...signRequest(message, key, Date.now()) },
    body: message.body as Buffer,
    signal,
  });
  const text = await answer.body.text();
  if (answer.statusCode !== 200) throw new Error(`${name}: ${answer.statusCode} ${text}`);
  return JSON.parse(text);
}

await main();
