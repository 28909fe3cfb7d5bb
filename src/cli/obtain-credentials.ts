import { createTransport } from '../agent/client/transport.ts';
import type { AgentConfig } from '../agent/config/agent-config.ts';
import { type Credentials, readCredentials, requireCredentials } from '../agent/credentials/credentials.ts';
import { enrolRunner } from '../agent/credentials/enrol.ts';
import { describeHost } from '../agent/credentials/host.ts';
import type { CommandContext } from '../command-line/command.ts';
import { systemClock } from '../lib/clock.ts';
import { UsageError } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import { version } from '../lib/version.ts';
import { pairMachine, readLine } from './commands/pair.ts';

/** The credentials of this home; else those that WORKER_SECRET gives; else a person may pair now. */
export async function obtainCredentials(
  config: AgentConfig,
  { context, log, signal }: { context: CommandContext; log: Log; signal: AbortSignal },
): Promise<{ value: Credentials; isEnrolled: boolean }> {
  const kept = await readCredentials(config.home);
  if (kept !== null) {
    if (config.apiBaseUrl !== null && config.apiBaseUrl !== kept.apiBaseUrl) {
      log.warn(`API_BASE_URL is not used: this machine is paired with ${kept.apiBaseUrl}`);
    }
    return { value: kept, isEnrolled: false };
  }
  if (config.workerSecret !== null) return { value: await enrol(config, log, signal), isEnrolled: true };
  if (context.stdin.isTTY !== true || !context.stderr.isTTY) {
    return { value: await requireCredentials(config.home), isEnrolled: false };
  }
  context.stderr.write('This machine is not paired. Pair it now? [Y/n] ');
  const answer = await readLine(context.stdin, signal);
  if (/^n/i.test(answer)) return { value: await requireCredentials(config.home), isEnrolled: false };
  const value = await pairMachine({ config, code: undefined, managed: false }, context, signal);
  return { value, isEnrolled: false };
}

async function enrol(config: AgentConfig, log: Log, signal: AbortSignal): Promise<Credentials> {
  const { workerSecret, apiBaseUrl, home, name, labels } = config;
  if (apiBaseUrl === null || workerSecret === null) {
    throw new UsageError('WORKER_SECRET is set, but API_BASE_URL is not', {
      hint: 'Set API_BASE_URL to the address of the bridge.',
    });
  }
  const transport = createTransport(config.proxy);
  try {
    return await enrolRunner(
      { home, apiBaseUrl, workerSecret, host: describeHost(version), name, labels },
      { transport, clock: systemClock, random: Math.random, log, version, signal },
    );
  } finally {
    await transport.close();
  }
}
