import * as z from 'zod';
import { defineCommand } from '../../../command-line/command.ts';
import { exitCode } from '../../../lib/exit-code.ts';
import type { ResponseOf } from '../../../protocol/routes.ts';
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
        [
          'ID',
          'NAME',
          'STATE',
          'RUNS',
          'WORKSPACE',
          'LABELS',
          'BROWSER',
          'VERSION',
          'CHECK WORD',
          'LAST SEEN',
        ],
        answer.runners.map((runner) => [
          runner.runnerId,
          runner.name,
          stateText(runner),
          runner.capabilities === null ? '' : `${runner.holds} of ${runner.capabilities.concurrency}`,
          runner.workspace,
          runner.labels.join(','),
          browserText(runner),
          runner.capabilities?.qualinetVersion ?? runner.host.qualinetVersion,
          runner.checkWord,
          runner.lastSeenAt ?? 'never',
        ]),
      ),
    );
    const { onPreviousSecret = [] } = answer;
    if (onPreviousSecret.length > 0) {
      const names = answer.runners.filter(({ runnerId }) => onPreviousSecret.includes(runnerId));
      stderr.write(
        `Not renewed since WORKER_SECRET was replaced: ${names.map(({ name }) => name).join(', ')}. Keep WORKER_SECRET_PREVIOUS until they are.\n`,
      );
    }
    const waiting = answer.runners.find(({ state }) => state === 'pending');
    if (waiting !== undefined) {
      stderr.write(
        `Does the host show the check word ${waiting.checkWord}? Then: qualinet-bridge approve ${waiting.runnerId}\n`,
      );
    }
    return exitCode.done;
  },
});

type RunnerView = ResponseOf<'listRunners'>['runners'][number];

function stateText({ state, draining, online, lastSeenAt }: RunnerView): string {
  if (state !== 'approved') return state;
  // One that was approved and has not started yet is not missed.
  const presence = online ? 'online' : lastSeenAt === null ? 'approved' : 'offline';
  return draining ? `${presence}, draining` : presence;
}

function browserText({ capabilities }: RunnerView): string {
  if (capabilities === null) return '';
  const { kind, version, sandbox } = capabilities.browser;
  return `${kind}${version === undefined ? '' : ` ${version}`}${sandbox === false ? ' (no sandbox)' : ''}`;
}
