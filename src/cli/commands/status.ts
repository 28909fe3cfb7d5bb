import * as z from 'zod';
import { howToUpgrade, versionNoticeText } from '../../agent/client/version-notice.ts';
import { type AgentConfig, readAgentConfig } from '../../agent/config/agent-config.ts';
import { connectBridge } from '../../agent/connect.ts';
import {
  type Credentials,
  credentialsPath,
  newestKey,
  requireCredentials,
} from '../../agent/credentials/credentials.ts';
import type { AgentStatus } from '../../agent/status-file.ts';
import { type CommandContext, defineCommand } from '../../command-line/command.ts';
import { peopleLog } from '../../command-line/people-log.ts';
import { counted } from '../../lib/counted.ts';
import { duration, span } from '../../lib/duration.ts';
import { CredentialsRejectedError, ExpectedError, errorText } from '../../lib/errors.ts';
import { exitCode } from '../../lib/exit-code.ts';
import { printable } from '../../lib/printable.ts';
import { version } from '../../lib/version.ts';
import { isOlderThan } from '../../protocol/release.ts';
import type { ResponseOf } from '../../protocol/routes.ts';
import { wayFlags } from '../engine-flags.ts';
import { type LocalStatus, localExitCode, readLocalStatus } from '../local-status.ts';

/** How long the bridge may take to say what it knows. */
const askMs = 5_000;

const options = z.object({
  args: z.array(z.string()).max(0),
  offline: z.boolean().default(false),
  ...wayFlags,
  json: z.boolean().default(false),
});

type Say = (line: string) => void;

/** `qualinet status`: what is known here first, then what the bridge says. */
export const status = defineCommand({
  options,
  async run({ json, offline, ...flags }, context) {
    const { env, stdout } = context;
    const config = readAgentConfig(env, flags);
    const local = await readLocalStatus(config.home);
    // Neither paired nor enrolled: nothing else is worth saying.
    if (local.credentials === null && !local.isRunning) await requireCredentials(config.home);
    const say: Say = (line) => {
      // Names and errors are what others wrote.
      if (!json) stdout.write(`${printable(line)}\n`);
    };
    tellLocal(local, say);
    const asked =
      local.credentials === null || offline ? null : await ask(local.credentials, config, context);
    if (asked !== null) say(`bridge:   ${asked.text}`);
    if (asked !== null && asked.hint !== null) say(`          ${asked.hint}`);
    if (json) stdout.write(`${JSON.stringify(jsonOf(local, asked))}\n`);
    return asked?.exitCode ?? localExitCode(local, Date.now());
  },
});

interface Asked {
  text: string;
  hint: string | null;
  exitCode: number;
  self: ResponseOf<'runnerSelf'> | null;
}

async function ask(
  credentials: Credentials,
  { proxy }: AgentConfig,
  context: CommandContext,
): Promise<Asked> {
  const connection = connectBridge(credentials, { proxy, version, log: peopleLog(context) });
  try {
    const self = await connection.client.call('runnerSelf', { timeoutMs: askMs });
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
      hint: error.hint ?? 'What is wrong on the way there: qualinet doctor',
      exitCode: error.exitCode,
      self: null,
    };
  } finally {
    await connection.close();
  }
}

function jsonOf(local: LocalStatus, asked: Asked | null): Record<string, unknown> {
  const { credentials, isRunning, runsOwed, agent, answeredAt, lastEnd } = local;
  const about = { isRunning, runsOwed, agent, answeredAt, lastEnd };
  const bridge =
    asked === null ? null : { isReachable: asked.self !== null, text: asked.text, self: asked.self };
  if (credentials === null) return { isPaired: false, runnerId: agent?.runnerId, ...about, bridge };
  const { runnerId, name, workspace, labels, mode, apiBaseUrl } = credentials;
  const keyNotAfter = newestKey(credentials).notAfter;
  return {
    isPaired: true,
    runnerId,
    name,
    workspace,
    labels,
    mode,
    apiBaseUrl,
    keyNotAfter,
    ...about,
    bridge,
  };
}

function tellLocal({ credentials, home, agent, isRunning, ...local }: LocalStatus, say: Say): void {
  if (credentials === null) say('paired:   no; its runner enrolled by WORKER_SECRET');
  else tellCredentials(credentials, home, say);
  if (agent === null || !isRunning) say('running:  no (start it with: qualinet start)');
  else tellAgent(agent, local.answeredAt, say);
  if (local.lastEnd !== null && local.lastEnd.kind !== 'in_order')
    say(`${isRunning ? 'before:  ' : 'it ended:'} ${local.lastEnd.text}`);
  tellOwed(local.runsOwed, isRunning, say);
}

function tellCredentials(credentials: Credentials, home: string, say: Say): void {
  const { name, workspace, labels, mode, apiBaseUrl } = credentials;
  const more = labels.length === 0 ? '' : `, labels ${labels.join(',')}`;
  say(`paired:   as "${name}" (${mode}, workspace ${workspace}${more}) with ${apiBaseUrl}`);
  const { notAfter } = newestKey(credentials);
  const isOver = Date.parse(notAfter) < Date.now();
  say(`key:      ${isOver ? 'EXPIRED' : 'good until'} ${notAfter} (${credentialsPath(home)})`);
}

function tellAgent(agent: AgentStatus, answeredAt: string | null, say: Say): void {
  const { state, pid, startedAt, runsEnded, browser, lastError } = agent;
  const runs = counted(runsEnded, 'run');
  say(`running:  ${state}, process ${pid}, for ${duration(sinceMs(startedAt))}, ${runs} ended`);
  for (const { runId, name, nodeId } of agent.runs) {
    say(`  run ${runId}${name === null ? '' : ` "${name}"`}${nodeId === null ? '' : ` at node ${nodeId}`}`);
  }
  const last = answeredAt === null ? '' : `; last answer of the bridge at ${answeredAt}`;
  if (agent.disconnectedAt !== null)
    say(`  disconnected since ${agent.disconnectedAt} (${span(sinceMs(agent.disconnectedAt))})${last}`);
  else if (agent.connectedAt !== null) say(`  connected since ${agent.connectedAt}${last}`);
  if (agent.drainOrdered) say('  drained by the operators: it gets no runs');
  if (browser !== null) {
    const sandbox = browser.sandbox === undefined ? '' : `, sandbox ${browser.sandbox ? 'on' : 'OFF'}`;
    say(`  browser ${browser.kind} ${browser.version ?? ''}${sandbox}`);
  }
  const { network, policyPath, healthUrl } = agent;
  if (network !== null) say(`  network ${network}`);
  if (policyPath !== null) say(`  policy ${policyPath}`);
  if (healthUrl !== null) say(`  health ${healthUrl}/live, /ready and /metrics`);
  if (lastError !== null) say(`  last error at ${lastError.at}: ${lastError.message}`);
}

function tellOwed(runsOwed: number, isRunning: boolean, say: Say): void {
  if (runsOwed === 0) return;
  const what = runsOwed === 1 ? '1 run is' : `${runsOwed} runs are`;
  const how = isRunning
    ? 'tried until the bridge has all of it'
    : 'the next start delivers it: qualinet start';
  say(`owed:     ${what} not delivered yet; ${how}`);
}

function sinceMs(iso: string): number {
  return Date.now() - Date.parse(iso);
}
