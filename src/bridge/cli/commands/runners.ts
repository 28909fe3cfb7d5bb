import { z } from 'zod';
import { defineCommand } from '../../../command-line/command.ts';
import { exitCode } from '../../../lib/exit-code.ts';
import { connectionOptions, findBridge } from '../connection.ts';
import { callBridge } from '../operator-client.ts';
import { table } from '../table.ts';

/** `qualinet-bridge runners`: who may take runs, and who waits to. */
export const runners = defineCommand({
  options: z.object({ args: z.tuple([]), ...connectionOptions }),
  async run({ json, ...where }, { env, stdout, stderr }) {
    const answer = await callBridge(await findBridge(where, env), 'listRunners');
    if (json) {
      stdout.write(`${JSON.stringify(answer)}\n`);
      return exitCode.done;
    }
    if (answer.runners.length === 0) {
      stderr.write('There is no runner yet. Make a pairing code with: qualinet-bridge code\n');
      return exitCode.done;
    }
    stdout.write(
      table(
        ['ID', 'NAME', 'STATE', 'WORKSPACE', 'LABELS', 'CHECK WORD', 'LAST SEEN'],
        answer.runners.map((runner) => [
          runner.runnerId,
          runner.name,
          runner.draining && runner.state === 'approved' ? 'draining' : runner.state,
          runner.workspace,
          runner.labels.join(','),
          runner.checkWord,
          runner.lastSeenAt ?? 'never',
        ]),
      ),
    );
    const waiting = answer.runners.find(({ state }) => state === 'pending');
    if (waiting !== undefined) {
      stderr.write(
        `Does the host show the check word ${waiting.checkWord}? Then: qualinet-bridge approve ${waiting.runnerId}\n`,
      );
    }
    return exitCode.done;
  },
});
