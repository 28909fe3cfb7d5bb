import { basename } from 'node:path';
import type { CommandContext } from '../../command-line/command.ts';
import { checkFlow } from '../../flow/check-flow.ts';
import type { Block } from '../../flow/step.ts';
import type { Variables } from '../../flow/variables.ts';
import { ExpectedError, UsageError } from '../../lib/errors.ts';
import { printable } from '../../lib/printable.ts';
import { findFlowFiles } from './find-flow-files.ts';
import { type LoadedFlow, loadFlows } from './load-flows.ts';

/** A flow that can run. */
export interface PreparedFlow {
  name: string;
  /** As a person named it. */
  file: string;
  steps: Block;
  variables: Variables;
}

/** The flows of a command line. */
export interface PreparedFlows {
  flows: PreparedFlow[];
  /** True for one file with one flow: what is told of it is a run, not a list. */
  isSingle: boolean;
}

/**
 * Finds, reads and checks all flows before any of them runs. Warnings go to standard error. Throws UsageError with the problems of
 * all files at once.
 */
export async function prepareFlows(
  args: readonly string[],
  {
    given,
    secretNames,
    isLenient,
    context,
  }: { given: Variables; secretNames: readonly string[]; isLenient: boolean; context: CommandContext },
): Promise<PreparedFlows> {
  const { files, isSingle } = await findFlowFiles(args, context.cwd);
  const faults: ExpectedError[] = [];
  const flows: PreparedFlow[] = [];
  const warn = (text: string): void => context.stderr.write(`warning: ${printable(text)}\n`);
  for (const file of files) {
    try {
      const loaded = await loadFlows(file, { isLenient, context });
      if (loaded === null) warn(`${file.path} is passed over: it holds neither a flow nor a recording`);
      for (const flow of loaded ?? []) {
        for (const note of flow.notes) warn(`${flow.file}: ${note}`);
        flows.push(
          prepared(flow, {
            given,
            secretNames,
            warn: (text) => warn(isSingle ? text : `${flow.file}: ${text}`),
          }),
        );
      }
    } catch (error) {
      if (!(error instanceof ExpectedError)) throw error;
      faults.push(error);
    }
  }
  if (faults.length === 1 && faults[0] !== undefined) throw faults[0];
  if (faults.length > 0) throw together(faults);
  if (flows.length === 0) throw new UsageError('there is no flow to run');
  return { flows, isSingle: isSingle && flows.length === 1 };
}

function prepared(
  { name, file, flow, variables: own }: LoadedFlow,
  {
    given,
    secretNames,
    warn,
  }: { given: Variables; secretNames: readonly string[]; warn(text: string): void },
): PreparedFlow {
  const variables = { ...own, ...given };
  const checked = checkFlow(flow, variables, secretNames);
  for (const warning of checked.warnings) warn(warning);
  if (checked.ok) return { name: name ?? basename(file), file, steps: checked.steps, variables };
  throw new UsageError(`${file} cannot be run`, {
    problems: checked.problems.map(({ message }) => message),
    ...(checked.problems.some(({ message }) => message.endsWith('is not set'))
      ? { hint: 'Set a variable with: --var NAME=value, a secret with: --secrets FILE' }
      : {}),
  });
}

function together(faults: readonly ExpectedError[]): UsageError {
  const hint = faults.find((fault) => fault.hint !== undefined)?.hint;
  return new UsageError(`${faults.length} files cannot be run`, {
    problems: faults.flatMap(({ message, problems }) => [
      message,
      ...problems.map((problem) => `  ${problem}`),
    ]),
    ...(hint === undefined ? {} : { hint }),
  });
}
