import type { EngineConfig } from '../agent/config/agent-config.ts';
import type { LocalPolicy } from '../agent/policy/local-policy.ts';
import { readSecrets } from '../agent/secrets/read-secrets.ts';
import type { CommandContext } from '../command-line/command.ts';
import type { LocalSecrets } from '../flow/local-secrets.ts';
import { counted } from '../lib/counted.ts';
import type { HostPattern } from '../lib/host-pattern.ts';
import type { Log } from '../lib/log.ts';
import { networkRules } from './network-options.ts';

/** The pages for secrets that name none of their own, where a server chooses the flows: hosts that this machine's owner names. */
export function hostsForSecrets(config: EngineConfig, policy: LocalPolicy | null): readonly HostPattern[] {
  const { allowHosts, onlyLists } = networkRules(config, 'self-hosted', policy);
  return [...allowHosts, ...onlyLists.flatMap(({ hosts }) => hosts)];
}

/**
 * Reads the secrets of this machine and keeps them out of everything that the process writes from now on. `hostsOfOthers`
 * are the pages for secrets that name none of their own, null for any. Throws as readSecrets does.
 */
export async function openSecrets(
  config: EngineConfig,
  {
    hostsOfOthers,
    log,
    context,
  }: { hostsOfOthers: readonly HostPattern[] | null; log: Log; context: CommandContext },
): Promise<LocalSecrets> {
  const secrets = await readSecrets(config, { hostsOfOthers, log, cwd: context.cwd });
  if (secrets.names.length > 0) {
    context.useRedactor(secrets.redactor);
    log.info(`${counted(secrets.names.length, 'secret')} of this machine: ${secrets.names.join(', ')}`);
  }
  return secrets;
}
