import { didYouMean } from '../lib/did-you-mean.ts';
import type { FlowSnapshot } from '../protocol/messages.ts';
import type { FlowProblem } from './flow-problem.ts';
import { type Graph, type GraphNode, looseDecorations, readGraph } from './graph.ts';
import { linearise } from './linearise.ts';
import {
  fieldsOf,
  isStart,
  type NodeType,
  nodeTypeNamed,
  nodeTypes,
  spelledType,
  unknownFieldsOf,
} from './node-types/node-types.ts';
import { type Step, stepFaults } from './step.ts';
import { referencedVariables, substitute, type Variables } from './variables.ts';

/** A flow ready to run, or everything that keeps it from running. */
export type CheckedFlow =
  | { ok: true; steps: Step[]; warnings: string[] }
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
  const { order, problems: graphProblems, warnings } = linearise(graph);
  problems.push(...graphProblems, ...unknownTypes(graph));

  const known = { ...variables, ...Object.fromEntries(secretNames.map((name) => [name, ''])) };
  const open = Object.fromEntries(
    Object.entries(variables ?? {}).filter(([name]) => !secretNames.includes(name)),
  );
  const steps: Step[] = [];
  // Without a start there is no order, but the fields of every node can be judged all the same.
  const hasStart = graph.nodes.some(({ type }) => isStart(type));
  for (const node of hasStart ? order : graph.nodes) {
    const spelled = spelledType(node.type);
    if (spelled === null || node.isBroken) continue;
    const { type } = spelled;
    const step: Step = { nodeId: node.id, type, fields: { ...spelled.fields, ...fieldsOf(type, node.data) } };
    steps.push(step);
    problems.push(...unknownFields(node, type));
    for (const fault of stepFaults(type, substitute(step.fields, open))) {
      problems.push({ nodeId: node.id, message: `node "${node.id}" (${node.type}): ${fault}` });
    }
    if (variables !== null && hasStart) {
      for (const name of referencedVariables(step.fields).filter((name) => !Object.hasOwn(known, name))) {
        problems.push({
          nodeId: node.id,
          message: `node "${node.id}" (${node.type}): the variable ${name} is not set`,
        });
      }
    }
    const extracted = type === 'extract' ? step.fields['variable'] : undefined;
    if (typeof extracted === 'string') known[extracted] = '';
  }
  return problems.length === 0 ? { ok: true, steps, warnings } : { ok: false, problems, warnings };
}

function unknownFields({ id, type: written, data }: GraphNode, type: NodeType): FlowProblem[] {
  const known = Object.keys(nodeTypes[type].data.shape);
  return unknownFieldsOf(type, data).map((field) => {
    const guess = didYouMean(field, known);
    const advice = guess === null ? `known are ${known.join(', ')}` : `did you mean "${guess}"?`;
    return { nodeId: id, message: `node "${id}" (${written}): unknown field "${field}"; ${advice}` };
  });
}

function unknownTypes(graph: Graph): FlowProblem[] {
  const loose = looseDecorations(graph);
  return graph.nodes
    .filter(
      ({ id, type, isBroken }) =>
        !isBroken && !isStart(type) && nodeTypeNamed(type) === null && !loose.has(id),
    )
    .map(({ id, type }) => ({
      nodeId: id,
      message: `node "${id}" has the unknown type "${type}"; known are start, ${Object.keys(nodeTypes).join(', ')}`,
    }));
}
