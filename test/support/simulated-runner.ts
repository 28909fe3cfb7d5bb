import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Secret } from '../../src/lib/secret.ts';
import type { Lease } from '../../src/protocol/messages.ts';
import type { RouteName } from '../../src/protocol/routes.ts';
import type { NumberedEvent, RunResult } from '../../src/protocol/run-result.ts';
import { clientFor, type SignedClient, testCapabilities, testHost } from './signed-client.ts';

/** A runner that talks as a real one and has no browser: for tests about bridges, with many of them. */
export interface SimulatedRunner {
  readonly runnerId: string;
  readonly client: SignedClient;
  /** Runs it has reported, in order. */
  readonly reported: string[];
  /** Takes no further run; resolves when those it has are reported or lost. */
  stop(): Promise<void>;
}

/** What it does with a run: the result, and the events it tells on the way, in batches. */
type Work = (lease: Lease) => { batches: readonly NumberedEvent[][]; result: RunResult };

/** Two events for each node that is no start, all passed: one batch for each node. */
const passEverything: Work = ({ flow }) => {
  const nodes = (flow.nodes as { id: string; type: string }[]).filter(({ type }) => type !== 'start');
  const at = new Date().toISOString();
  return {
    batches: nodes.map(({ id }, index) => [
      { seq: 2 * index + 1, at, event: { type: 'step_start', nodeId: id } },
      {
        seq: 2 * index + 2,
        at,
        event: { type: 'step_complete', nodeId: id, status: 'passed', durationMs: 1 },
      },
    ]),
    result: {
      status: 'passed',
      durationMs: nodes.length,
      stepsResult: nodes.map(({ id, type }) => ({ nodeId: id, type, status: 'passed', durationMs: 1 })),
    },
  };
};

/** Enrols with the bridges' WORKER_SECRET and takes one run after the other, going on after every outage. */
export async function startSimulatedRunner(
  url: string,
  workerSecret: string,
  {
    work = passEverything,
    labels = [] as string[],
    slots = 1,
    /** What it waits for with every run it has taken. */
    goAhead = Promise.resolve(),
  } = {},
): Promise<SimulatedRunner> {
  const runnerId = randomUUID();
  const secret = new Secret(workerSecret);
  const stopping = new AbortController();
  await stubborn(clientFor(url, secret, { kind: 'enrol', runnerId }), 'enrol', {
    body: { host: testHost, labels },
  });
  const client = clientFor(url, secret, { kind: 'runner', runnerId, generation: 1 });
  const reported: string[] = [];

  async function execute(lease: Lease): Promise<void> {
    const { leaseId, fence, runId } = lease;
    const params = { leaseId };
    const { batches, result } = work(lease);
    if (!(await stubborn(client, 'heartbeat', { params, body: { fence, nodeId: null } }))) return;
    await goAhead;
    for (const events of batches) {
      if (!(await stubborn(client, 'postEvents', { params, body: { fence, events } }))) return;
    }
    if (await stubborn(client, 'postResult', { params, body: { fence, result } })) reported.push(runId);
  }

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        const { status, body } = await client.send('pollLeases', {
          body: { slots, waitMs: 20_000, capabilities: { ...testCapabilities, concurrency: slots } },
          signal: stopping.signal,
        });
        if (status === 200) await Promise.all((body as unknown as { leases: Lease[] }).leases.map(execute));
        else await delay(100);
      } catch {
        if (!stopping.signal.aborted) await delay(100);
      }
    }
  }

  const ended = loop();
  return {
    runnerId,
    client,
    reported,
    async stop() {
      stopping.abort();
      await ended;
    },
  };
}

/** Sends until it is answered for good: true for 200, false when the lease is lost. Everything else is tried again. */
async function stubborn(
  client: SignedClient,
  name: RouteName,
  input: { params?: Record<string, string>; body: unknown },
): Promise<boolean> {
  for (;;) {
    try {
      const { status, body } = await client.send(name, input);
      if (status === 200) return true;
      if (status === 409) return false;
      if (status < 500) throw new Refused(`${name}: ${status} ${JSON.stringify(body)}`);
    } catch (error) {
      if (error instanceof Refused) throw error;
    }
    await delay(50);
  }
}

class Refused extends Error {}
