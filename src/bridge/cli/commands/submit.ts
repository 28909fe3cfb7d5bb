import { basename } from 'node:path';
import * as z from 'zod';
import { type CommandContext, defineCommand } from '../../../command-line/command.ts';
import { nameValue } from '../../../command-line/name-value.ts';
import { readInputFile } from '../../../command-line/read-input-file.ts';
import { checkFlow } from '../../../flow/check-flow.ts';
import { type FlowFile, flowFileInput, parseFlowFile } from '../../../flow/flow-file.ts';
import { StoppedError, UsageError } from '../../../lib/errors.ts';
import { exitCode } from '../../../lib/exit-code.ts';
import { onRedeliveryModes } from '../../../protocol/messages.ts';
import { connectionOptions, findBridge, labelsOption } from '../connection.ts';
import { callBridge } from '../operator-client.ts';
import { waitForRun } from '../wait-for-run.ts';
import { runText } from './runs.ts';

const options = z.object({
  args: z.tuple([z.string()]),
  var: z.array(nameValue).default([]),
  wait: z.boolean().default(false),
  workspace: z.string().optional(),
  labels: labelsOption,
  priority: z
    .string()
    .regex(/^-?\d{1,4}$/, 'must be a whole number')
    .transform(Number)
    .optional(),
  onRedelivery: z.enum(onRedeliveryModes, `must be one of ${onRedeliveryModes.join(', ')}`).optional(),
  flowId: z.uuid().optional(),
  ...connectionOptions,
});

/** `qualinet-bridge submit FLOW.json`: queues a flow and, with `--wait`, follows it to its end. */
export const submit = defineCommand({
  options,
  async run({ args: [path], var: given, wait, api, dataDir, json, ...settings }, context) {
    const file = await readCheckedFile(path, context);
    const bridge = await findBridge({ api, dataDir }, context.env);
    const { runId, status } = await callBridge(bridge, 'submitRun', {
      body: {
        name: file.name ?? basename(path).slice(0, 200),
        ...file.flow,
        variables: { ...file.variables, ...Object.fromEntries(given) },
        ...settings,
      },
    });
    if (!wait) {
      context.stdout.write(json ? `${JSON.stringify({ runId, status })}\n` : `${runId}\n`);
      context.stderr.write(`Queued. Look at it with: qualinet-bridge runs ${runId}\n`);
      return exitCode.done;
    }
    context.stderr.write(`run ${runId} is queued\n`);
    const ended = await waitForRun(bridge, runId, file.flow, context);
    if (ended !== 'run_complete') {
      throw new StoppedError(ended, `run ${runId} is followed no longer`, {
        hint: `The run goes on. Look at it with: qualinet-bridge runs ${runId}`,
      });
    }
    const run = await callBridge(bridge, 'readRun', { params: { runId } });
    context.stdout.write(json ? `${JSON.stringify(run)}\n` : runText(run));
    return run.status === 'passed' ? exitCode.done : exitCode.flowFailed;
  },
});

async function readCheckedFile(path: string, context: CommandContext): Promise<FlowFile> {
  const file = parseFlowFile(await readInputFile(path, flowFileInput, context), path);
  // The runner may have variables of its own, so a missing one is for it to report.
  const checked = checkFlow(file.flow, null);
  for (const warning of checked.warnings) context.stderr.write(`warning: ${warning}\n`);
  if (!checked.ok) {
    throw new UsageError(`${path} cannot be run`, {
      problems: checked.problems.map(({ message }) => message),
    });
  }
  return file;
}
