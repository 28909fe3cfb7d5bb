import type { CommandContext } from '../../command-line/command.ts';
import { type InputFile, readInputFile } from '../../command-line/read-input-file.ts';
import { type FlowFile, parseFlowFile } from '../../flow/flow-file.ts';
import { UsageError } from '../../lib/errors.ts';
import type { ImportedFlow, Recording } from '../../recordings/imported.ts';
import type { FlowFilePath } from './find-flow-files.ts';

/** A flow of a file, whoever wrote it. */
export interface LoadedFlow extends FlowFile {
  /** As a person named it. */
  file: string;
  /** What a reader should know about how it came from a recording. */
  notes: readonly string[];
}

/** Longest file that is read: a project of Selenium IDE holds many flows. */
const maxBytes = 16 * 1024 * 1024;

/** What a command needs to know to read one from the command line. */
export const recordingFile: InputFile = { what: 'flow file', maxBytes, tooLarge };

/**
 * The flows in a file: one of a flow file or a recording, all of a project. Null for a file in a folder that is neither, although
 * it is as its name says: a broken one may be a flow that nobody is to miss.
 * Throws UsageError for what is wrong with it, and for steps that cannot be kept, unless that is allowed.
 */
export async function loadFlows(
  { path, isNamed }: FlowFilePath,
  { isLenient, context }: { isLenient: boolean; context: CommandContext },
): Promise<LoadedFlow[] | null> {
  const text = await readInputFile(path, recordingFile, context);
  const json = jsonIn(text);
  // Reading recordings takes a parser of JavaScript and more; a flow needs none of it, and no recording has nodes and edges.
  const recording = has(json, 'nodes') && has(json, 'edges') ? null : await asRecording(text, path);
  if (recording !== null) {
    if (!isLenient) ensureKept(recording, path);
    return recording.flows.map((flow) => loadedRecording(flow, path));
  }
  if (!isNamed && isOfSomethingElse(json, text, path)) return null;
  if (path.endsWith('.side'))
    throw new UsageError(`${path} is no Selenium IDE project`, {
      hint: 'In Selenium IDE, save the project once more: a project has "tests" and "suites".',
    });
  return [{ ...parseFlowFile(text, path), file: path, notes: [] }];
}

async function asRecording(text: string, path: string): Promise<Recording | null> {
  const { readRecording } = await import('../../recordings/read-recording.ts');
  return readRecording(text, path);
}

/** Undefined for a text that is no JSON. */
function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\u{feff}/u, ''));
  } catch {
    return undefined;
  }
}

function has(json: unknown, name: string): boolean {
  return typeof json === 'object' && json !== null && name in json;
}

/** Throws UsageError that names every step of the recording that cannot be kept. */
export function ensureKept({ flows }: Recording, path: string): void {
  const problems = flows.flatMap(({ name, unkept }) =>
    unkept.map(({ where, what, why }) => `${flows.length > 1 ? `${name}: ` : ''}${where}: ${what}: ${why}`),
  );
  if (problems.length === 0) return;
  throw new UsageError(
    `${path} has ${problems.length === 1 ? 'a step' : `${problems.length} steps`} that cannot be kept`,
    {
      problems,
      hint: 'With --lenient all others are kept, and these are marked where they stood.',
    },
  );
}

function loadedRecording({ name, flow, notes, unkept }: ImportedFlow, file: string): LoadedFlow {
  const { nodes, edges, variables = {} } = flow;
  const lost = unkept.map(({ where, what, why }) => `left out: ${where}: ${what}: ${why}`);
  return {
    name,
    flow: { nodes: [...nodes], edges: [...edges] },
    variables,
    file,
    notes: [...notes, ...lost],
  };
}

function isOfSomethingElse(json: unknown, text: string, path: string): boolean {
  if (path.endsWith('.jsonl')) return true;
  if (path.endsWith('.side')) return false;
  if (json !== undefined) return !has(json, 'nodes');
  // Settings of other tools are JSON with comments. What has the words of a flow or a recording in it was one, and what a merge has left behind may have been.
  return text.trim() !== '' && !/"(?:nodes|edges|steps)"|^<{7} /m.test(text);
}

function tooLarge(path: string, bytes: number): UsageError {
  return new UsageError(`${path} has ${bytes} bytes; at most ${maxBytes} are read`, { hint: 'Split it.' });
}
