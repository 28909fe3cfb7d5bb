import * as z from 'zod';
import { type Command, defineCommand } from '../../../command-line/command.ts';
import { exitCode } from '../../../lib/exit-code.ts';
import { printable } from '../../../lib/printable.ts';
import { type Connection, connectionOptions, findBridge } from '../connection.ts';
import { callBridge } from '../operator-client.ts';

type Change = 'approve' | 'deny' | 'drain' | 'undrain' | 'revoke';

const options = z.object({ args: z.tuple([z.uuid('must be the ID of a runner')]), ...connectionOptions });

/** `qualinet-bridge approve ID` and its four sisters: one runner changed, and what it is now. */
export function changeRunner(change: Change): Command<z.output<typeof options>> {
  return defineCommand({
    options,
    async run({ args: [runnerId], json, ...where }, { env, stdout }) {
      const runner = await ask(change, await findBridge(where, env), { runnerId });
      const state = runner.state === 'approved' && runner.draining ? 'draining' : runner.state;
      stdout.write(json ? `${JSON.stringify(runner)}\n` : `${printable(runner.name)} is ${state}\n`);
      return exitCode.done;
    },
  });
}

function ask(change: Change, bridge: Connection, params: { runnerId: string }) {
  switch (change) {
    case 'approve':
    case 'deny':
      return callBridge(bridge, 'decideRunner', { params, body: { approve: change === 'approve' } });
    case 'drain':
    case 'undrain':
      return callBridge(bridge, 'drainRunner', { params, body: { drain: change === 'drain' } });
    case 'revoke':
      return callBridge(bridge, 'revokeRunner', { params });
  }
}
