import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { waitForRun } from '../../../src/bridge/cli/wait-for-run.ts';
import { Secret } from '../../../src/lib/secret.ts';
import { drawnFlow } from '../../support/drawn-flow.ts';

const runId = '0f1f0f1f-0000-4000-8000-000000000002';
const end = {
  type: 'run_complete',
  status: 'passed',
  runId,
  fence: 1,
  seq: 1,
  at: '2026-01-01T00:00:00.000Z',
};

it('steps are counted, of how many only where that is known, and anew when another runner has the run', async () => {
  const at = { runId, fence: 1, at: end.at };
  const start = { ...at, type: 'run_start', status: 'running', attempt: 1, runnerId: 'r', runnerName: 'mac' };
  const step = { ...at, type: 'step_complete', nodeId: 'log', status: 'passed', durationMs: 5, logs: 'hi' };
  const updates = [start, step, step, { ...start, attempt: 2 }, step, end];
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(updates.map((update, seq) => `data: ${JSON.stringify({ ...update, seq })}\n\n`).join(''));
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const said: string[] = [];
  await waitForRun(
    {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      token: new Secret('operator-token-0123'),
    },
    runId,
    drawnFlow(
      { l: ['loop', { kind: 'times', times: 2 }], log: ['log', { message: 'hi' }] },
      's>l l:body>log',
    ),
    {
      stderr: { isTTY: false, write: (text: string) => said.push(text) > 0 },
      onSignal: () => () => {},
    },
  );
  expect(said).toEqual([
    'runner mac has the run\n',
    '  ok   1 log  hi  (5 ms)\n',
    '  ok   2 log  hi  (5 ms)\n',
    'runner mac has the run (attempt 2)\n',
    '  ok   1 log  hi  (5 ms)\n',
    'run passed\n',
  ]);
});

it('streams that open and end at once, as while Redis is away, are told once and not with each try', async () => {
  let opened = 0;
  const server = createServer((_request, response) => {
    opened += 1;
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(`retry: 20\n\n${opened < 5 ? '' : `data: ${JSON.stringify(end)}\n\n`}`);
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const said: string[] = [];
  const ended = await waitForRun(
    {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      token: new Secret('operator-token-0123'),
    },
    runId,
    { nodes: [], edges: [] },
    {
      stderr: { isTTY: false, write: (text: string) => said.push(text) > 0 },
      onSignal: () => () => {},
    },
  );
  expect(ended).toBe('run_complete');
  expect(opened).toBe(5);
  expect(said).toEqual([
    'the events of the run do not come; trying again (Ctrl-C leaves the run alone)\n',
    'the bridge is back\n',
    'run passed\n',
  ]);
});
