import { stat } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import * as z from 'zod';
import { defineCommand } from '../../command-line/command.ts';
import { readInputFile } from '../../command-line/read-input-file.ts';
import { counted } from '../../lib/counted.ts';
import { errorText, UsageError } from '../../lib/errors.ts';
import { exitCode } from '../../lib/exit-code.ts';
import { printable } from '../../lib/printable.ts';
import type { ImportedFlow } from '../../recordings/imported.ts';
import { readRecording } from '../../recordings/read-recording.ts';
import { ensureKept, recordingFile } from '../flows/load-flows.ts';
import { writeNewFile } from '../flows/new-file.ts';

const options = z.object({
  args: z.tuple([z.string()]),
  output: z.string().optional(),
  lenient: z.boolean().default(false),
  force: z.boolean().default(false),
  json: z.boolean().default(false),
});

/** `qualinet import RECORDING [-o FLOW.json]`: a recording of another tool as a flow file, or as several. */
export const importRecording = defineCommand({
  options,
  async run({ args: [path], output, lenient, force, json }, context) {
    const { stdout, stderr, cwd } = context;
    const text = await readInputFile(path, recordingFile, context);
    const recording = readRecording(text, path);
    if (recording === null) throw noRecording(text, path);
    if (!lenient) ensureKept(recording, path);
    const { flows, format } = recording;
    const paths = await placesFor(flows, output, { cwd, path, json });
    if (!force) await ensureFree(paths, cwd);
    for (const [index, { flow }] of flows.entries()) {
      const place = paths[index];
      if (place !== undefined) await writeNewFile(place, textOf(flow), { cwd, mayReplace: force });
    }

    const told = flows.map(({ name, flow, notes, unkept }, index) => ({
      name,
      steps: flow.nodes.filter(({ type }) => type !== 'start' && type !== 'subflowStart').length,
      notes,
      unkept,
      path: paths[index] ?? null,
    }));
    if (json) {
      const listed = told.map((one, index) =>
        output === undefined ? { ...one, flow: flows[index]?.flow } : one,
      );
      stdout.write(`${JSON.stringify({ format, flows: listed })}\n`);
      return exitCode.done;
    }
    for (const { name, steps, notes, unkept, path: place } of told) {
      stderr.write(`${printable(name)}: ${counted(steps, 'step')}${place === null ? '' : ` -> ${place}`}\n`);
      for (const note of notes) stderr.write(`  note: ${printable(note)}\n`);
      for (const { where, what, why } of unkept)
        stderr.write(`  left out: ${printable(`${where}: ${what}: ${why}`)}\n`);
    }
    const [only] = flows;
    if (only !== undefined && output === undefined) stdout.write(textOf(only.flow));
    return exitCode.done;
  },
});

function textOf(flow: ImportedFlow['flow']): string {
  return `${JSON.stringify(flow, null, 2)}\n`;
}

/** Where each flow is written: nowhere without `output`, else the file, or one by its name in the folder. Throws UsageError where several would go to one place. */
async function placesFor(
  flows: readonly ImportedFlow[],
  output: string | undefined,
  { cwd, path, json }: { cwd: string; path: string; json: boolean },
): Promise<string[]> {
  const hint = `Name a folder for them: qualinet import ${path} -o FOLDER`;
  if (output === undefined) {
    if (flows.length === 1 || json) return [];
    throw new UsageError(`there are ${flows.length} flows in ${path}`, { hint });
  }
  const entry = await stat(resolve(cwd, output)).catch(() => null);
  const isFolder = entry?.isDirectory() ?? (output.endsWith('/') || extname(output) === '');
  if (!isFolder) {
    if (flows.length === 1) return [output];
    throw new UsageError(`${output} is one file, and there are ${flows.length} flows`, { hint });
  }
  const taken = new Set<string>();
  return flows.map(({ name }) => {
    const base = fileNameOf(name);
    let file = `${base}.json`;
    for (let number = 2; taken.has(file.toLowerCase()); number += 1) file = `${base}-${number}.json`;
    taken.add(file.toLowerCase());
    return join(output, file);
  });
}

/** Throws UsageError that names every file that is there already: either all are written or none. */
async function ensureFree(paths: readonly string[], cwd: string): Promise<void> {
  const entries = await Promise.all(paths.map((path) => stat(resolve(cwd, path)).catch(() => null)));
  const taken = paths.filter((_, index) => entries[index] !== null);
  const [first] = taken;
  if (first === undefined) return;
  throw new UsageError(
    taken.length === 1 ? `${first} is there already` : `${taken.length} files are there already`,
    { problems: taken.length === 1 ? [] : taken, hint: 'To replace what is there: --force' },
  );
}

/** Longest name of a file without its ending, in bytes: file systems take 255. */
const longestName = 200;

/** The name of a flow as that of a file: letters, digits and dashes. */
function fileNameOf(name: string): string {
  const words = name.normalize('NFC').match(/[\p{L}\p{M}\p{N}]+/gu) ?? ['flow'];
  let plain = '';
  for (const letter of words.join('-')) {
    if (Buffer.byteLength(plain + letter) > longestName) break;
    plain += letter;
  }
  return plain;
}

/** The error for a text of no known format, that says what it is instead, as far as that can be seen. */
function noRecording(text: string, path: string): UsageError {
  const content = text.trim();
  if (content === '') return new UsageError(`${path} is empty`, { hint: 'Record or export it once more.' });
  if (/^(from|import) playwright\b/m.test(content)) {
    return new UsageError(`${path} is Python`, {
      hint: 'Of Playwright, JavaScript is read: npx playwright codegen --target javascript',
    });
  }
  const hint =
    'Recordings are JSON of Chrome DevTools Recorder, .side projects of Selenium IDE, and JavaScript or JSONL of Playwright codegen.';
  try {
    if (Reflect.has(Object(JSON.parse(content)), 'nodes')) {
      return new UsageError(`${path} is a flow file already`, { hint: `To run it: qualinet run ${path}` });
    }
  } catch (error) {
    if (/^[[{<]/.test(content)) {
      return new UsageError(`${path} is no valid JSON: ${errorText(error)}`, { hint, cause: error });
    }
  }
  return new UsageError(`${path} is no recording that is known here`, { hint });
}
