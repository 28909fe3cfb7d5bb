import * as z from 'zod';
import { defineCommand } from '../../../command-line/command.ts';
import { exitCode } from '../../../lib/exit-code.ts';
import { isFinal } from '../../../protocol/run-result.ts';
import { connectionOptions, findBridge } from '../connection.ts';
import { callBridge } from '../operator-client.ts';

/** `qualinet-bridge cancel ID`: asks for a run to end. */
export const cancel = defineCommand({
  options: z.object({ args: z.tuple([z.uuid('must be the ID of a run')]), ...connectionOptions }),
  async run({ args: [runId], json, ...where }, { env, stdout }) {
    const run = await callBridge(await findBridge(where, env), 'cancelRun', { params: { runId } });
    stdout.write(
      json
        ? `${JSON.stringify(run)}\n`
        : isFinal(run.status)
          ? `the run is ${run.status}\n`
          : 'the runner is told to end the run\n',
    );
    return exitCode.done;
  },
});
