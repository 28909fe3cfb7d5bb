import { createInterface } from 'node:readline/promises';
import * as z from 'zod';
import { createTransport } from '../../agent/client/transport.ts';
import { type AgentConfig, readAgentConfig } from '../../agent/config/agent-config.ts';
import { connectBridge } from '../../agent/connect.ts';
import {
  type Credentials,
  credentialsPath,
  readCredentials,
  saveCredentials,
} from '../../agent/credentials/credentials.ts';
import { describeHost } from '../../agent/credentials/host.ts';
import { pairRunner } from '../../agent/credentials/pairing.ts';
import { type CommandContext, defineCommand } from '../../command-line/command.ts';
import { peopleLog } from '../../command-line/people-log.ts';
import { systemClock } from '../../lib/clock.ts';
import { EnvironmentError, errorText, StoppedError, UsageError } from '../../lib/errors.ts';
import { exitCode } from '../../lib/exit-code.ts';
import { lockFolder } from '../../lib/folder-lock.ts';
import { isLoopbackHost } from '../../lib/host-and-port.ts';
import type { Log } from '../../lib/log.ts';
import { printable } from '../../lib/printable.ts';
import { version } from '../../lib/version.ts';
import { wayFlags } from '../engine-flags.ts';
import { nextStep } from '../next-step.ts';
import { noteInAudit } from '../note-in-audit.ts';
import { isRootProcess } from '../root-rule.ts';

const options = z.object({
  args: z.array(z.string()).max(1),
  api: z.string().optional(),
  name: z.string().optional(),
  labels: z.string().optional(),
  managed: z.boolean().default(false),
  force: z.boolean().default(false),
  ...wayFlags,
  json: z.boolean().default(false),
});

/** `qualinet pair [CODE]`: makes this machine a runner of a bridge. */
export const pair = defineCommand({
  options,
  async run({ args: [code], managed, force, json, ...flags }, context) {
    const config = readAgentConfig(context.env, flags);
    if (!force) await refuseSecondPairing(config.home);
    const abort = new AbortController();
    const stopListening = context.onSignal((signal) => {
      abort.abort(new StoppedError(signal, 'pairing was stopped; nothing was saved'));
    });
    try {
      const credentials = await pairMachine({ config, code, managed }, context, abort.signal);
      const caller = { program: process.argv[1] ?? '', isRoot: isRootProcess() };
      context.stderr.write(`${nextStep({ ...caller, isRootAllowed: config.isRootAllowed })}\n`);
      if (json) context.stdout.write(`${JSON.stringify(summaryOf(credentials, config.home))}\n`);
      return exitCode.done;
    } catch (error) {
      throw abort.signal.aborted ? abort.signal.reason : error;
    } finally {
      stopListening();
    }
  },
});

/** Pairs and saves, telling each step on stderr. `code` undefined asks for it on a terminal. */
export async function pairMachine(
  { config, code, managed }: { config: AgentConfig; code: string | undefined; managed: boolean },
  context: CommandContext,
  signal: AbortSignal,
): Promise<Credentials> {
  const say = (line: string): void => context.stderr.write(`${printable(line)}\n`);
  const apiBaseUrl = config.apiBaseUrl ?? (await askForAddress(context, signal));
  if (managed && config.managedPairSecret === null) {
    throw new UsageError('managed pairing is not allowed on this machine', {
      hint: 'It needs QUALINET_ALLOW_MANAGED_PAIR=true and QUALINET_MANAGED_PAIR_SECRET (32 characters or more).',
    });
  }
  const digits = await readCode(code, context, signal);
  // A runner that is at work here would go on with its old credentials, and could write them back.
  const lock = await lockFolder(config.home, "this machine's runner");
  const transport = createTransport(config.proxy);
  const log = peopleLog(context);
  try {
    say(`Pairing with ${apiBaseUrl} …`);
    if (isPlainHttp(apiBaseUrl)) {
      say('warning: this address is not https: flows and their variables travel in the clear');
    }
    const credentials = await pairRunner(
      {
        code: digits,
        apiBaseUrl,
        host: describeHost(version),
        name: config.name,
        labels: config.labels,
        managedPairSecret: managed ? config.managedPairSecret : null,
      },
      {
        redeemed: ({ checkWord, workspace }) => {
          say(`The code is good (workspace ${workspace}). Check word: ${checkWord}`);
        },
        waiting: () =>
          say('Waiting for an operator to approve this machine; the check word must be the same there …'),
        otherAddress: (own) => say(`The bridge calls itself ${own}; that address is used from now on.`),
      },
      { transport, clock: systemClock, random: Math.random, log, version, signal },
    );
    await saveCredentials(config.home, credentials);
    const { runnerId, apiBaseUrl: bridge, workspace, mode } = credentials;
    noteInAudit(config.home, { event: 'paired', runnerId, bridge, workspace, mode }, log);
    const labels = credentials.labels.length === 0 ? '' : `, labels ${credentials.labels.join(',')}`;
    say(`Paired as "${credentials.name}" (workspace ${credentials.workspace}${labels}).`);
    say(`Saved in ${credentialsPath(config.home)}`);
    await checkOnce(credentials, config, log);
    return credentials;
  } finally {
    await transport.close();
    await lock.release();
  }
}

/** What `--json` prints: who the runner is, and nothing secret. */
function summaryOf(credentials: Credentials, home: string): Record<string, unknown> {
  const { runnerId, name, workspace, labels, mode, apiBaseUrl } = credentials;
  return { paired: true, runnerId, name, workspace, labels, mode, apiBaseUrl, file: credentialsPath(home) };
}

async function refuseSecondPairing(home: string): Promise<void> {
  const existing = await readCredentials(home);
  if (existing === null) return;
  throw new EnvironmentError(
    `this machine is paired already, as "${existing.name}" (workspace ${existing.workspace}) with ${existing.apiBaseUrl}`,
    { hint: 'Run: qualinet unpair (or pair with --force to replace it)' },
  );
}

/** The address in the answer may differ from the one that was typed: says at once when it does not work. */
async function checkOnce(credentials: Credentials, { proxy }: AgentConfig, log: Log): Promise<void> {
  const connection = connectBridge(credentials, { proxy, version, log });
  try {
    await connection.client.call('runnerSelf', { timeoutMs: 10_000 });
  } catch (error) {
    log.warn(`the new credentials could not be tried: ${errorText(error)}`);
  } finally {
    await connection.close();
  }
}

async function readCode(
  given: string | undefined,
  context: CommandContext,
  signal: AbortSignal,
): Promise<string> {
  const { stdin, stderr } = context;
  let code = given;
  if (given === '-') code = await readLine(stdin, signal);
  else if (given === undefined && stdin.isTTY === true) {
    stderr.write('Pairing code (6 digits): ');
    code = await readLine(stdin, signal);
  }
  if (code === undefined) {
    throw new UsageError('a pairing code is needed', { hint: 'Run: qualinet pair CODE --api https://…' });
  }
  const digits = code.replace(/[\s-]/g, '');
  if (/^\d{6}$/.test(digits)) return digits;
  throw new UsageError('a pairing code has 6 digits', { hint: 'Run: qualinet pair CODE --api https://…' });
}

async function askForAddress({ stdin, stderr }: CommandContext, signal: AbortSignal): Promise<string> {
  const wanted = new UsageError('the address of the bridge is needed', {
    hint: 'Give --api https://… or set API_BASE_URL.',
  });
  if (stdin.isTTY !== true) throw wanted;
  stderr.write('Address of the bridge (https://…): ');
  const config = readAgentConfig({ API_BASE_URL: await readLine(stdin, signal) });
  if (config.apiBaseUrl === null) throw wanted;
  return config.apiBaseUrl;
}

/** The first line of a stream. */
export async function readLine(stream: NodeJS.ReadableStream, signal: AbortSignal): Promise<string> {
  const lines = createInterface({ input: stream, signal });
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.once('line', (line) => resolve(line.trim()));
      lines.once('close', () => {
        if (signal.aborted) reject(signal.reason);
        else resolve('');
      });
    });
  } finally {
    lines.close();
  }
}

function isPlainHttp(address: string): boolean {
  const { protocol, hostname } = new URL(address);
  return protocol === 'http:' && !isLoopbackHost(hostname);
}
