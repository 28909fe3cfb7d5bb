import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { waitForRun } from '../../../src/bridge/cli/wait-for-run.ts';
import { Secret } from '../../../src/lib/secret.ts';

const runId = '0f1f0f1f-0000-4000-8000-000000000002';
const end = {
  type: 'run_complete',
  status: 'passed',
  runId,
  fence: 1,
  seq: 1,
  at: '2026-01-01T00:00:00.000Z',
};

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
