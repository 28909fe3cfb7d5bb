import { describe, expect, it } from 'vitest';
import { readJobData } from '../../../src/bridge/intake/job-data.ts';

const runId = '0f1f0f1f-0000-4000-8000-00000000000a';
const read = (data: unknown, opts: object = {}) => readJobData({ data, opts });
const priority = (opts: object, data: object = {}): number => {
  const result = read({ runId, ...data }, opts);
  if (!result.ok) throw new Error(result.reason);
  return result.data.priority;
};

describe("a job's data", () => {
  it('may be nothing but a run id', () => {
    expect(read({ runId })).toEqual({
      ok: true,
      data: {
        runId,
        workspace: 'default',
        labels: [],
        priority: 0,
        variables: {},
        onRedelivery: 'rerun',
        traceParent: null,
      },
    });
  });

  it('may say everything that the operators may, beside fields of the backend', () => {
    const given = {
      workspace: 'team-a',
      labels: ['gpu'],
      priority: 7,
      variables: { USER: 'ann' },
      onRedelivery: 'fail',
    };
    const result = read({ runId: runId.toUpperCase(), ...given, userId: 12 });
    expect(result).toEqual({ ok: true, data: { runId, ...given, traceParent: null } });
  });

  it.each([
    [null, 'data: must be an object like { "runId": "…" }', null],
    ['text', 'data: must be an object', null],
    [{}, 'runId:', null],
    [{ runId: '17' }, 'runId: must be a UUID', null],
    [{ runId, workspace: 'Team A' }, 'workspace: must be 1 to 63 of', runId],
    [{ runId, labels: 'gpu' }, 'labels:', runId],
    [{ runId, priority: 5_000 }, 'priority:', runId],
    [{ runId, variables: { A: 1 } }, 'variables.A:', runId],
    [{ runId, variables: { A: 'x\0' } }, 'variables: must contain neither the character U+0000', runId],
    [{ runId, onRedelivery: 'maybe' }, 'onRedelivery:', runId],
  ])('%j is refused, naming the field', (data, reason, id) => {
    expect(read(data)).toMatchObject({ ok: false, runId: id });
    expect(read(data)).toHaveProperty('reason', expect.stringContaining(reason));
  });

  it('names every wrong field at once', () => {
    const result = read({ runId, workspace: '!', onRedelivery: '?' });
    expect(result).toHaveProperty('reason', expect.stringMatching(/workspace: .*; onRedelivery: /));
  });
});

describe('the priority of a job', () => {
  it("is the data's own when given, whatever BullMQ's is", () => {
    expect(priority({ priority: 5 }, { priority: 3 })).toBe(3);
    expect(priority({ priority: 5 }, { priority: 0 })).toBe(0);
  });

  it("keeps BullMQ's order: none first, then 1, 2 and so on, within our range", () => {
    const theirs = [0, 1, 2, 10, 899, 900, 901, 1_000, 5_000, 100_000, 2_000_000, 2 ** 21 - 1];
    const ours = theirs.map((one) => priority({ priority: one }));
    expect(ours).toEqual([...ours].sort((a, b) => b - a));
    expect(new Set(ours.slice(0, 7)).size).toBe(7);
    expect(ours[0]).toBe(0);
    expect(ours.at(-1)).toBe(-1_000);
  });
});

describe('the trace of a job', () => {
  const parent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  const traceOf = (data: object, opts: object = {}): unknown => {
    const result = read({ runId, ...data }, opts);
    return result.ok && result.data.traceParent;
  };

  it("is what BullMQ's telemetry carries, before what the data say", () => {
    const other = parent.replace('4bf9', '5bf9');
    const telemetry = { metadata: JSON.stringify({ traceparent: parent, tracestate: 'a=b' }) };
    expect(traceOf({}, { telemetry })).toBe(parent);
    expect(traceOf({ traceparent: other }, { telemetry })).toBe(parent);
    expect(traceOf({ traceparent: other })).toBe(other);
  });

  it.each([
    ['not JSON', { telemetry: { metadata: '{' } }],
    ['no headers', { telemetry: { metadata: '"text"' } }],
    [
      'an id of zeros',
      { telemetry: { metadata: `{"traceparent":"00-${'0'.repeat(32)}-00f067aa0ba902b7-01"}` } },
    ],
    [
      'a later version with U+0000',
      { telemetry: { metadata: `{"traceparent":"01${parent.slice(2)}-\\u0000"}` } },
    ],
    ['a forbidden version', { telemetry: { metadata: `{"traceparent":"ff${parent.slice(2)}"}` } }],
  ])('is none for %s', (_, opts) => {
    expect(traceOf({}, opts)).toBeNull();
  });
});
