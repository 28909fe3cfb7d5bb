import { z } from 'zod';
import { howToUpgrade, versionNoticeText } from '../../agent/client/version-notice.ts';
import { readAgentConfig } from '../../agent/config/agent-config.ts';
import { connectBridge } from '../../agent/connect.ts';
import {
  type Credentials,
  credentialsPath,
  newestKey,
  requireCredentials,
} from '../../agent/credentials/credentials.ts';
import type { LastEnd } from '../../agent/life/flight-snapshot.ts';
import { readLastEnd } from '../../agent/life/last-end.ts';
import { countOwed } from '../../agent/spool/count-owed.ts';
import { type AgentStatus, readStatusFile } from '../../agent/status-file.ts';
import { defineCommand } from '../../command-line/command.ts';
import { peopleLog } from '../../command-line/people-log.ts';
import { duration } from '../../lib/duration.ts';
import { CredentialsRejectedError, ExpectedError, errorText } from '../../lib/errors.ts';
import { exitCode } from '../../lib/exit-code.ts';
import { lockHolder } from '../../lib/folder-lock.ts';
import { printable } from '../../lib/printable.ts';
import { version } from '../../lib/version.ts';
import { isOlderThan } from '../../protocol/release.ts';
import type { ResponseOf } from '../../protocol/routes.ts';
import { wayFlags } from '../engine-flags.ts';

/** How long the bridge may take to say what it knows. */
const askMs = 5_000;

/** `qualinet status`: what is known here first, then what the bridge says. */
export const status = defineCommand({
  options: z.object({ args: z.array(z.string()).max(0), ...wayFlags, json: z.boolean().default(false) }),
  async run({ json, ...flags }, context) {
    const { env, stdout } = context;
    const config = readAgentConfig(env, flags);
    const credentials = await requireCredentials(config.home);
    const agent = await readStatusFile(config.home);
    // Not by the number alone: after a crash another program may have it.
    const isRunning =
      agent !== null && agent.state !== 'ended' && (await lockHolder(config.home)) === agent.pid;
    const lastEnd = await readLastEnd(config.home);
    const runsOwed = agent !== null && isRunning ? agent.runsOwed : await countOwed(config.home);
    const say = (line: string): void => {
      // Names and errors are what others wrote.
      if (!json) stdout.write(`${printable(line)}\n`);
    };
    tellCredentials(credentials, config.home, say);
    tellAgent(agent, isRunning, say);
    tellLastEnd(lastEnd, isRunning, say);
    tellOwed(runsOwed, isRunning, say);

    const connection = connectBridge(credentials, {
      proxy: config.proxy,
      version,
      log: peopleLog(context),
    });
    const asked = await ask(connection.client.call('runnerSelf', { timeoutMs: askMs }));
    await connection.close();
    say(`bridge:   ${asked.text}`);
    if (asked.hint !== null) say(`          ${asked.hint}`);
    if (json) {
      const { runnerId, name, workspace, labels, mode, apiBaseUrl } = credentials;
      const bridge = { isReachable: asked.self !== null, text: asked.text, self: asked.self };
      stdout.write(
        `${JSON.stringify({
          isPaired: true,
          runnerId,
          name,
          workspace,
          labels,
          mode,
          apiBaseUrl,
          keyNotAfter: newestKey(credentials).notAfter,
          isRunning,
          runsOwed,
          agent,
          lastEnd,
          bridge,
        })}\n`,
      );
    }
    return asked.exitCode;
  },
});

interface Asked {
  text: string;
  hint: string | null;
  exitCode: number;
  self: ResponseOf<'runnerSelf'> | null;
}

async function ask(call: Promise<ResponseOf<'runnerSelf'>>): Promise<Asked> {
  try {
    const self = await call;
    const { notice } = self;
    const ending =
      notice !== undefined && isOlderThan(version, notice.minVersion)
        ? `${versionNoticeText(notice, version)}. ${howToUpgrade}`
        : null;
    const text = self.draining ? 'knows this runner; it is drained and gets no runs' : 'knows this runner';
    return { text, hint: ending, exitCode: exitCode.done, self };
  } catch (error) {
    if (!(error instanceof ExpectedError)) throw error;
    return {
      text: error instanceof CredentialsRejectedError ? `refuses: ${error.message}` : errorText(error),
      hint: error.hint ?? null,
      exitCode: error.exitCode,
      self: null,
    };
  }
}

function tellCredentials(credentials: Credentials, home: string, say: (line: string) => void): void {
  const { name, workspace, labels, mode, apiBaseUrl } = credentials;
  const more = labels.length === 0 ? '' : `, labels ${labels.join(',')}`;
  say(`paired:   as "${name}" (${mode}, workspace ${workspace}${more}) with ${apiBaseUrl}`);
  const { notAfter } = newestKey(credentials);
  const isOver = Date.parse(notAfter) < Date.now();
  say(`key:      ${isOver ? 'EXPIRED' : 'good until'} ${notAfter} (${credentialsPath(home)})`);
}

function tellAgent(agent: AgentStatus | null, isRunning: boolean, say: (line: string) => void): void {
  if (agent === null || !isRunning) {
    say('running:  no (start it with: qualinet start)');
    return;
  }
  const sinceMs = Date.now() - Date.parse(agent.startedAt);
  say(
    `running:  ${agent.state}, process ${agent.pid}, for ${duration(sinceMs)}, ${agent.runsEnded} ${agent.runsEnded === 1 ? 'run' : 'runs'} ended`,
  );
  for (const { runId, name, nodeId } of agent.runs) {
    say(`  run ${runId}${name === null ? '' : ` "${name}"`}${nodeId === null ? '' : ` at node ${nodeId}`}`);
  }
  if (agent.lastError !== null) say(`  last error at ${agent.lastError.at}: ${agent.lastError.message}`);
}

function tellLastEnd(lastEnd: LastEnd | null, isRunning: boolean, say: (line: string) => void): void {
  if (lastEnd === null || lastEnd.kind === 'in_order') return;
  say(`${isRunning ? 'before:  ' : 'it ended:'} ${lastEnd.text}`);
}

function tellOwed(runsOwed: number, isRunning: boolean, say: (line: string) => void): void {
  if (runsOwed === 0) return;
  const what = runsOwed === 1 ? '1 run is' : `${runsOwed} runs are`;
  const how = isRunning
    ? 'tried until the bridge has all of it'
    : 'the next start delivers it: qualinet start';
  say(`owed:     ${what} not delivered yet; ${how}`);
}
