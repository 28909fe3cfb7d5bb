import * as z from 'zod';
import { errorText, UsageError } from '../lib/errors.ts';
import { variableName } from '../lib/variable-name.ts';
import { limits } from '../protocol/limits.ts';
import { type FlowSnapshot, flowSnapshotSchema } from '../protocol/messages.ts';
import { fieldPath } from '../protocol/problem.ts';
import type { Variables } from './variables.ts';

/** A flow file's content: React Flow's `toObject()`, optionally with a name and default values of variables. */
export interface FlowFile {
  name: string | null;
  flow: FlowSnapshot;
  variables: Variables;
}

/** What a command needs to know to read one from the command line. */
export const flowFileInput = { what: 'flow file', maxBytes: limits.flowBytes, tooLarge };

const flowFileSchema = z.object({
  name: z.string().max(200).nullish(),
  nodes: flowSnapshotSchema.shape.nodes,
  edges: flowSnapshotSchema.shape.edges,
  variables: z
    .record(
      z.string().regex(variableName, 'is no name for a variable'),
      z.union([z.string(), z.number(), z.boolean()]).transform(String),
    )
    .nullish(),
});

/** Reads the text of a flow file. Throws UsageError that names file and field, with all faults of its shape. */
export function parseFlowFile(text: string, path: string): FlowFile {
  const bytes = Buffer.byteLength(text);
  if (bytes > limits.flowBytes) throw tooLarge(path, bytes);
  let json: unknown;
  try {
    // Editors on Windows put a byte order mark in front.
    json = JSON.parse(text.replace(/^\u{feff}/u, ''));
  } catch (error) {
    throw new UsageError(`${path} is no valid JSON: ${errorText(error)}`, {
      hint: flowFileHint,
      cause: error,
    });
  }
  const parsed = flowFileSchema.safeParse(json);
  if (!parsed.success) {
    throw new UsageError(`${path} is no flow`, {
      problems: parsed.error.issues.slice(0, 50).map((issue) => `${fieldPath(issue.path)}: ${issue.message}`),
      hint: flowFileHint,
    });
  }
  const { name, nodes, edges, variables } = parsed.data;
  return { name: name ?? null, flow: { nodes, edges }, variables: variables ?? {} };
}

const flowFileHint =
  'A flow file holds { "nodes": [...], "edges": [...] } as React Flow\'s toObject() writes them.';

/** The error for a flow of `bytes` bytes. */
function tooLarge(path: string, bytes: number): UsageError {
  return new UsageError(`${path} has ${bytes} bytes; a flow may have ${limits.flowBytes} (1 MiB)`, {
    hint: 'Split the flow, or keep large texts in variables.',
  });
}
