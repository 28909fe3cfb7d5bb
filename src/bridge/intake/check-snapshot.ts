import { checkFlow } from '../../flow/check-flow.ts';
import { type FlowLength, flowLength } from '../../flow/flow-length.ts';
import type { FlowProblem } from '../../flow/flow-problem.ts';
import { counted } from '../../lib/counted.ts';
import { limits } from '../../protocol/limits.ts';
import { type FlowSnapshot, flowSnapshotSchema } from '../../protocol/messages.ts';
import type { RunError, StepResult } from '../../protocol/run-result.ts';
import { isTooDeep, maxDepth } from '../storable.ts';

/** A run that ends before it starts: what its rows say. */
export interface BrokenRun {
  error: RunError;
  stepsResult: StepResult[];
}

/** Problems kept of one flow; a flow with more is not mended by reading on. */
const problemsKept = 500;

/**
 * A snapshot as the backend wrote it and its length, or what its run ends with when it is no flow that can run, or
 * is together with its variables more than a lease may bring: no runner takes such an answer, and it would come again.
 */
export function checkSnapshot(
  nodes: unknown,
  edges: unknown,
  variables: Readonly<Record<string, string>>,
): { length: FlowLength; flow: FlowSnapshot } | { broken: BrokenRun } {
  const tooMuch = sizeProblem({ nodes, edges, variables });
  if (tooMuch !== null) return { broken: brokenRun([{ message: tooMuch }], []) };
  const snapshot = flowSnapshotSchema.safeParse({ nodes, edges });
  if (!snapshot.success) {
    const problems = snapshot.error.issues.map(({ path, message }) => ({
      message: `snapshot_${path.join('.')}: ${message}`,
    }));
    return { broken: brokenRun(problems, []) };
  }
  // A runner may have variables of its own, so that missing ones are for it to find.
  const checked = checkFlow(snapshot.data, null);
  return checked.ok
    ? { length: flowLength(checked.steps), flow: snapshot.data }
    : { broken: brokenRun(checked.problems, snapshot.data.nodes) };
}

function sizeProblem(flow: object): string | null {
  let json: Buffer;
  try {
    json = Buffer.from(JSON.stringify(flow));
  } catch (error) {
    // Writing goes down recursively; nothing that came from a database is a circle.
    if (error instanceof RangeError) return tooDeep;
    throw error;
  }
  if (json.length > limits.flowBytes) {
    return `the flow and its variables have ${json.length} bytes; at most ${limits.flowBytes} can be given to a runner`;
  }
  return isTooDeep(json) ? tooDeep : null;
}

const tooDeep = `the flow is nested deeper than ${maxDepth} levels`;

// One entry for each problem: a backend's UI reads the row, marks nodes by their ids and knows nothing of our error.
function brokenRun(found: readonly FlowProblem[], nodes: readonly unknown[]): BrokenRun {
  const problems = found.slice(0, problemsKept).map(({ nodeId, message }) => ({
    nodeId: nodeId === undefined ? '(flow)' : cut(nodeId, 200),
    type: nodeId === undefined ? 'flow' : typeOf(nodes, nodeId),
    error: cut(message, limits.textLength),
  }));
  return {
    error: {
      code: 'flow_invalid',
      message: `The flow cannot run: it has ${counted(found.length, 'problem')}.`,
      problems: problems.map(({ error }) => error),
    },
    stepsResult: problems.map((problem) => ({
      ...problem,
      status: 'failed',
      durationMs: 0,
      errorKind: 'invalid_data',
    })),
  };
}

function typeOf(nodes: readonly unknown[], nodeId: string): string {
  const node = nodes.find((one) => String(Reflect.get(Object(one), 'id')) === nodeId);
  const type: unknown = Reflect.get(Object(node), 'type');
  return typeof type === 'string' && type !== '' ? cut(type, 100) : 'unknown';
}

// Not within a character: the database keeps no half of one.
function cut(text: string, length: number): string {
  return text.length <= length ? text : text.slice(0, length).replace(/[\ud800-\udbff]$/, '');
}
