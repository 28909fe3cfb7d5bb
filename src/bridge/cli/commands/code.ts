import * as z from 'zod';
import { defineCommand } from '../../../command-line/command.ts';
import { UsageError } from '../../../lib/errors.ts';
import { exitCode } from '../../../lib/exit-code.ts';
import { connectionOptions, findBridge, labelsOption } from '../connection.ts';
import { callBridge } from '../operator-client.ts';

const options = z.object({
  args: z.tuple([]),
  workspace: z.string().optional(),
  labels: labelsOption,
  needsApproval: z.boolean().default(false),
  autoApprove: z.boolean().default(false),
  managed: z.boolean().default(false),
  ...connectionOptions,
});

/** `qualinet-bridge code`: a pairing code and the command that uses it. */
export const code = defineCommand({
  options,
  async run(
    { workspace, labels, needsApproval, autoApprove, managed, json, ...where },
    { env, stdout, stderr },
  ) {
    if (needsApproval && autoApprove) {
      throw new UsageError('--needs-approval and --auto-approve contradict each other; give one of them');
    }
    const made = await callBridge(await findBridge(where, env), 'createCode', {
      body: { workspace, labels, managed, ...(needsApproval || autoApprove ? { autoApprove } : {}) },
    });
    if (json) {
      stdout.write(`${JSON.stringify(made)}\n`);
      return exitCode.done;
    }
    const until = new Date(made.expiresAt).toTimeString().slice(0, 8);
    stdout.write(`${made.code}\n`);
    stdout.write(`${pairCommand(made.code, made.apiBaseUrl)}${made.managed ? ' --managed' : ''}\n`);
    stderr.write(`Good until ${until}, once, for the workspace ${made.workspace}.\n`);
    if (!made.autoApprove)
      stderr.write('The runner then waits: qualinet-bridge runners, qualinet-bridge approve ID\n');
    return exitCode.done;
  },
});

/** What to type on the machine that is to become a runner. */
export function pairCommand(code: string, apiBaseUrl: string): string {
  return `npx @qualitas-id/qualinet pair ${code} --api ${apiBaseUrl}`;
}
