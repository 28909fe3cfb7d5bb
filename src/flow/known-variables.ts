import { type PlanShape, withCalls } from './plan/plan-flow.ts';
import { orderFrom, reachFrom } from './plan/reach.ts';
import { targetsIn } from './plan/ways.ts';
import type { Step } from './step.ts';

/** The names of the variables that a step sets. */
export function variablesSetBy({ type, fields }: Step): string[] {
  switch (type) {
    case 'extract':
    case 'setVariable':
    case 'evaluate':
    case 'dialog':
    case 'download':
      return names(fields['variable']);
    case 'loop':
      return names(fields['as']);
    case 'subflow':
      return Object.keys(Object(fields['variables']));
    default:
      return [];
  }
}

/**
 * Which variables may be set when a step runs: those that some way to it sets. One that only one branch sets counts as set
 * behind it, because what decided may be what decides again. `isKnown(nodeId, name)` says whether it is one of them.
 */
export function variablesAlongTheWay(
  shape: PlanShape,
  steps: ReadonlyMap<string, Step>,
): { isKnown(nodeId: string, name: string): boolean } {
  // A set of names is a number with a bit for each: flows of thousands of steps may set thousands.
  const bits = new Map<string, bigint>();
  const setBy = (id: string): bigint => {
    const step = steps.get(id);
    return (step === undefined ? [] : variablesSetBy(step)).reduce((set, name) => {
      const bit = bits.get(name) ?? 1n << BigInt(bits.size);
      bits.set(name, bit);
      return set | bit;
    }, 0n);
  };

  const { start, ways, bodies, calls } = shape;
  const targets = withCalls(targetsIn(ways), calls);
  const own = new Map([...targets.keys()].map((id) => [id, setBy(id)]));
  const withinHead = new Map<string, bigint>();
  const all = (ids: Iterable<string>): bigint => [...ids].reduce((set, id) => set | (own.get(id) ?? 0n), 0n);
  /** All that a subflow sets. */
  const bySubflow = (head: string): bigint => {
    const known = withinHead.get(head) ?? all(reachFrom([head], targets));
    withinHead.set(head, known);
    return known;
  };

  const before = new Map<string, bigint>();
  const add = (id: string, set: bigint): void => void before.set(id, (before.get(id) ?? 0n) | set);
  for (const id of orderFrom([start], targets)) {
    const after = (before.get(id) ?? 0n) | (own.get(id) ?? 0n);
    const head = calls.get(id);
    if (head !== undefined) add(head, after);
    const byHead = head === undefined ? 0n : bySubflow(head);
    for (const { branch, target } of ways.get(id) ?? []) {
      const body = branch === 'done' ? bodies.get(id) : undefined;
      const byBody = body === undefined ? 0n : all(reachFrom([...body], targets));
      add(target, after | byHead | byBody);
    }
  }
  return {
    isKnown(nodeId, name) {
      const bit = bits.get(name);
      return bit !== undefined && ((before.get(nodeId) ?? 0n) & bit) !== 0n;
    },
  };
}

function names(name: unknown): string[] {
  return typeof name === 'string' ? [name] : [];
}
