import { describe, expect, it } from 'vitest';
import type { RunEnd } from '../../../src/bridge/leases/run-end.ts';
import { runLine } from '../../../src/bridge/leases/run-line.ts';
import { peopleLog } from '../../../src/command-line/people-log.ts';
import { jsonLog } from '../../../src/lib/log.ts';
import { testContext } from '../../support/test-context.ts';

const queuedAtMs = Date.parse('2026-11-24T10:00:00.000Z');

const run: RunEnd = {
  runId: '0f9f2d0e-7f0c-4a53-9d5c-2f7b1e0c8a11',
  leaseId: '1f9f2d0e-7f0c-4a53-9d5c-2f7b1e0c8a11',
  flowId: '2f9f2d0e-7f0c-4a53-9d5c-2f7b1e0c8a11',
  name: 'buy',
  workspace: 'default',
  labels: ['eu', 'linux'],
  priority: 5,
  queue: 'test-queue',
  jobId: '17',
  traceParent: null,
  status: 'failed',
  error: null,
  fence: 3,
  attempts: 2,
  handbacks: 1,
  lastEndReason: 'expired',
  lastSeq: 4,
  hasLate: false,
  runnerId: '3f9f2d0e-7f0c-4a53-9d5c-2f7b1e0c8a11',
  runnerName: 'demo',
  queuedAtMs,
  startedAtMs: queuedAtMs + 2_500,
  endedAtMs: queuedAtMs + 4_000,
  durationMs: 1_400,
  stepsResult: [
    { nodeId: 'open', type: 'navigate', status: 'passed', durationMs: 800 },
    {
      ...{ nodeId: 'buy', type: 'click', status: 'failed', durationMs: 600 },
      ...{ error: '#buy was not found', errorKind: 'not_found', screenshotUrl: 'http://127.0.0.1/p.png' },
    },
  ],
};

function jsonLineOf(ended: RunEnd): Record<string, unknown> {
  const lines: string[] = [];
  runLine({ log: jsonLog((line) => lines.push(line)), bridge: 'here:1' })(ended);
  expect(lines).toHaveLength(1);
  return JSON.parse(lines.join('')) as Record<string, unknown>;
}

describe('the line of a run', () => {
  it('says everything about it in flat fields', () => {
    const { at: _, ...line } = jsonLineOf(run);
    expect(line).toEqual({
      level: 'info',
      message: 'run finished',
      runId: run.runId,
      name: 'buy',
      flowId: run.flowId,
      workspace: 'default',
      labels: ['eu', 'linux'],
      priority: 5,
      queue: 'test-queue',
      jobId: '17',
      status: 'failed',
      errorCode: 'not_found',
      errorMessage: '#buy was not found',
      stepsTotal: 2,
      stepsPassed: 1,
      stepsFailed: 1,
      failedNode: 'buy',
      failedType: 'click',
      hasScreenshot: true,
      fence: 3,
      attempts: 2,
      handbacks: 1,
      redeliveryReason: 'expired',
      runnerId: run.runnerId,
      runnerName: 'demo',
      queuedAt: '2026-11-24T10:00:00.000Z',
      startedAt: '2026-11-24T10:00:02.500Z',
      endedAt: '2026-11-24T10:00:04.000Z',
      queueWaitMs: 2_500,
      durationMs: 1_400,
      bridge: 'here:1',
    });
  });

  it('gives the error of the run before that of a step, and the wait until its end where no runner had it', () => {
    const error = { code: 'attempts_used_up', message: 'None finished it.' };
    const line = jsonLineOf({ ...run, error, startedAtMs: null, runnerId: null, runnerName: null });
    expect(line).toMatchObject({
      ...{ errorCode: 'attempts_used_up', errorMessage: 'None finished it.' },
      ...{ startedAt: null, runnerName: null, queueWaitMs: 4_000 },
    });
  });

  it('is short for a person at a terminal', () => {
    const { context, err } = testContext();
    const observe = runLine({ log: peopleLog(context), bridge: 'here:1' });
    observe(run);
    observe({ ...run, name: null, status: 'passed', stepsResult: [] });
    expect(err().replace(/^\d\d:\d\d:\d\d /gm, '')).toBe(
      `run finished runId=${run.runId} name=buy status=failed errorCode=not_found failedNode=buy runnerName=demo durationMs=1400\n` +
        `run finished runId=${run.runId} status=passed runnerName=demo durationMs=1400\n`,
    );
  });
});
