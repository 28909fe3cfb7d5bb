import * as z from 'zod';
import { readAgentConfig } from '../../agent/config/agent-config.ts';
import { connectBridge } from '../../agent/connect.ts';
import {
  credentialsPath,
  deleteCredentials,
  requireCredentials,
} from '../../agent/credentials/credentials.ts';
import { defineCommand } from '../../command-line/command.ts';
import { peopleLog } from '../../command-line/people-log.ts';
import { BridgeUnavailableError, CredentialsRejectedError, ExpectedError } from '../../lib/errors.ts';
import { exitCode } from '../../lib/exit-code.ts';
import { version } from '../../lib/version.ts';
import { wayFlags } from '../engine-flags.ts';
import { noteInAudit } from '../note-in-audit.ts';

/** `qualinet unpair`: revokes the credentials at the bridge, then deletes them here. */
export const unpair = defineCommand({
  options: z.object({
    args: z.array(z.string()).max(0),
    force: z.boolean().default(false),
    ...wayFlags,
    json: z.boolean().default(false),
  }),
  async run({ force, json, ...flags }, context) {
    const { env, stdout, stderr } = context;
    const config = readAgentConfig(env, flags);
    const { home } = config;
    const credentials = await requireCredentials(home);
    const log = peopleLog(context);
    const connection = connectBridge(credentials, {
      proxy: config.proxy,
      version,
      log,
    });
    let isRevoked = true;
    try {
      await connection.client.call('retireSelf', { timeoutMs: 10_000 });
    } catch (error) {
      if (error instanceof CredentialsRejectedError) {
        stderr.write('The bridge had ended these credentials already.\n');
      } else if (!(error instanceof ExpectedError)) {
        throw error;
      } else if (force) {
        isRevoked = false;
        stderr.write(
          `warning: ${error.message}\nThe credentials may still be good: ask the operators to revoke runner ${credentials.runnerId}.\n`,
        );
      } else {
        throw new BridgeUnavailableError(`the credentials are kept: ${error.message}`, {
          cause: error,
          hint: 'Try again later, or delete them here only: qualinet unpair --force',
        });
      }
    } finally {
      await connection.close();
    }
    await deleteCredentials(home);
    const { runnerId, apiBaseUrl: bridge } = credentials;
    noteInAudit(home, { event: 'unpaired', runnerId, bridge, isRevoked }, log);
    stderr.write(`Unpaired from ${credentials.apiBaseUrl}; ${credentialsPath(home)} is deleted.\n`);
    if (json) {
      stdout.write(`${JSON.stringify({ unpaired: true, isRevoked, runnerId: credentials.runnerId })}\n`);
    }
    return exitCode.done;
  },
});
