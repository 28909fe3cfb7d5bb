import { didYouMean } from '../lib/did-you-mean.ts';
import type { FlowSnapshot } from '../protocol/messages.ts';
import type { FlowProblem } from './flow-problem.ts';
import { type Graph, type GraphNode, looseDecorations, readGraph } from './graph.ts';
import { variablesAlongTheWay, variablesSetBy } from './known-variables.ts';
import {
  decorativeFields,
  fieldsOf,
  isEmpty,
  isStart,
  isSubflowStart,
  type NodeType,
  nodeTypeNamed,
  nodeTypes,
  spelledType,
  typeSpellings,
  unknownFieldsOf,
} from './node-types/node-types.ts';
import { type PlanShape, planFlow } from './plan/plan-flow.ts';
import { subflowNameFields } from './plan/subflows.ts';
import { type Block, type Step, stepFaults } from './step.ts';
import { referencedVariables, substitute, type Variables } from './variables.ts';

/**
 * A flow ready to run, or everything that keeps it from running. `steps` is what runs one after the other; what is in branches,
 * loops and subflows stands in the blocks of its steps, and `stepsIn(steps)` has all of them.
 */
export type CheckedFlow =
  | { ok: true; steps: Block; warnings: string[] }
  | { ok: false; problems: FlowProblem[]; warnings: string[] };

/**
 * Checks a whole flow without a browser and reports all problems at once: graph, types, fields, variables.
 * `variables` null means that they are not known here (the bridge: a runner may have its own), and missing ones pass.
 * Secrets stand over variables and are known by their names only: what they hold is judged by the step, and told by nobody.
 */
export function checkFlow(
  flow: FlowSnapshot,
  variables: Variables | null,
  secretNames: readonly string[] = [],
): CheckedFlow {
  const { graph, problems } = readGraph(flow.nodes, flow.edges);
  const { order, shape, problems: graphProblems, warnings } = planFlow(graph);
  problems.push(...graphProblems, ...unknownTypes(graph), ...unknownFieldsOfHeads(graph));

  const open = Object.fromEntries(
    Object.entries(variables ?? {}).filter(([name]) => !secretNames.includes(name)),
  );
  // Without a start there is no order, but the fields of every node can be judged all the same.
  const hasStart = graph.nodes.some(({ type }) => isStart(type));
  const steps = new Map<string, Step>();
  const judged = hasStart ? order : graph.nodes;
  for (const node of judged) {
    const spelled = spelledType(node.type);
    if (spelled === null || node.isBroken) continue;
    const { type } = spelled;
    steps.set(node.id, {
      nodeId: node.id,
      type,
      fields: { ...spelled.fields, ...fieldsOf(type, node.data) },
    });
  }
  const isSet =
    variables === null || !hasStart ? () => true : setBefore(shape, steps, variables, secretNames);
  for (const node of judged) {
    const step = steps.get(node.id);
    if (step === undefined) continue;
    problems.push(...unknownFields(node, step.type));
    const faults = [
      ...stepFaults(step.type, substitute(step.fields, open)),
      ...referencedVariables(step.fields)
        .filter((name) => !isSet(node.id, name))
        .map((name) => `the variable ${name} is not set`),
    ];
    problems.push(
      ...faults.map((fault) => ({
        nodeId: node.id,
        message: `node "${node.id}" (${node.type}): ${fault}`,
      })),
    );
  }
  if (problems.length > 0 || shape === null) return { ok: false, problems, warnings };
  return { ok: true, steps: inBlocks(shape, steps), warnings };
}

/** Whether a variable is set when a node runs. Where the graph has no order, one that any step sets is. */
function setBefore(
  shape: PlanShape | null,
  steps: ReadonlyMap<string, Step>,
  variables: Variables,
  secretNames: readonly string[],
): (nodeId: string, name: string) => boolean {
  const known = new Set([...Object.keys(variables), ...secretNames]);
  if (shape === null) {
    for (const step of steps.values()) for (const name of variablesSetBy(step)) known.add(name);
    return (_, name) => known.has(name);
  }
  const along = variablesAlongTheWay(shape, steps);
  return (nodeId, name) => known.has(name) || along.isKnown(nodeId, name);
}

/** The steps in their blocks. A step that several branches come to is one and the same in each of them. */
function inBlocks({ top, within }: PlanShape, steps: ReadonlyMap<string, Step>): Block {
  const whole = new Map<string, { -readonly [Key in keyof Step]: Step[Key] }>(
    [...steps].map(([id, step]) => [id, { ...step }]),
  );
  const blockOf = (ids: readonly string[]): Block => ids.flatMap((id) => whole.get(id) ?? []);
  // The steps of one subflow are one block, however many nodes run it.
  const blocks = new Map<readonly string[], Block>();
  for (const [id, branches] of within) {
    const step = whole.get(id);
    if (step === undefined) continue;
    step.blocks = Object.fromEntries(
      Object.entries(branches).map(([branch, ids]) => {
        const block = blocks.get(ids) ?? blockOf(ids);
        blocks.set(ids, block);
        return [branch, block];
      }),
    );
  }
  return blockOf(top);
}

function unknownFields({ id, type: written, data }: GraphNode, type: NodeType): FlowProblem[] {
  const known = Object.keys(nodeTypes[type].data.shape);
  return unknownFieldsOf(type, data).map((field) => {
    const guess = didYouMean(field, known);
    const advice = guess === null ? `known are ${known.join(', ')}` : `did you mean "${guess}"?`;
    return { nodeId: id, message: `node "${id}" (${written}): unknown field "${field}"; ${advice}` };
  });
}

function unknownFieldsOfHeads({ nodes }: Graph): FlowProblem[] {
  const known = [...subflowNameFields, ...decorativeFields];
  return nodes
    .filter(({ type }) => isSubflowStart(type))
    .flatMap(({ id, type, data }) =>
      Object.keys(data)
        .filter((field) => !known.includes(field) && !isEmpty(data[field]))
        .map((field) => ({
          nodeId: id,
          message: `node "${id}" (${type}): unknown field "${field}"; known is name`,
        })),
    );
}

function unknownTypes(graph: Graph): FlowProblem[] {
  const loose = looseDecorations(graph);
  return graph.nodes
    .filter(
      ({ id, type, isBroken }) =>
        !isBroken &&
        !isStart(type) &&
        !isSubflowStart(type) &&
        nodeTypeNamed(type) === null &&
        !loose.has(id),
    )
    .map(({ id, type }) => {
      const guess = didYouMean(type, typeSpellings);
      const advice = guess === null ? '' : `; did you mean "${guess}"?`;
      return { nodeId: id, message: `node "${id}" has the unknown type "${type}"${advice}` };
    });
}
