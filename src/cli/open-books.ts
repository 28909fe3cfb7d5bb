import { join } from 'node:path';
import type { AgentEvent } from '../agent/agent-event.ts';
import { auditEntryOf } from '../agent/audit/audit-events.ts';
import { type AuditLog, openAuditLog } from '../agent/audit/audit-log.ts';
import type { EngineConfig } from '../agent/config/agent-config.ts';
import { type Credentials, newestKey } from '../agent/credentials/credentials.ts';
import type { MachineRules } from '../agent/lease/admit-run.ts';
import type { EndOfLife } from '../agent/life/flight-record.ts';
import { type LocalPolicy, readLocalPolicy } from '../agent/policy/local-policy.ts';
import { policySummary } from '../agent/policy/policy-summary.ts';
import { ensurePolicyTakes } from '../agent/policy/refusals.ts';
import { systemClock } from '../lib/clock.ts';
import { EnvironmentError } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import { version } from '../lib/version.ts';

/** The books of one life of a runner: what its machine's owner lets it do, and what it did. */
export interface Books {
  rules: MachineRules;
  audit: AuditLog;
  onEvent(event: AgentEvent): void;
  keyRenewed(credentials: Credentials): void;
  close(end: EndOfLife): void;
}

/** The policy of a machine that executes what a server sends: the one that is named, else that of its home. */
export function readMachinePolicy({ policyPath, home }: EngineConfig): Promise<LocalPolicy | null> {
  return readLocalPolicy(policyPath ?? join(home, 'policy.json'), { isNamed: policyPath !== null });
}

/** Says which policy is in force. Throws EnvironmentError when it takes no run that the bridge of these credentials sends. */
export function introducePolicy(
  policy: LocalPolicy | null,
  { allowHosts }: Pick<EngineConfig, 'allowHosts'>,
  credentials: Credentials,
  log: Log,
): void {
  ensurePolicyTakes(credentials, policy);
  if (policy === null) return;
  log.info(`policy ${policy.path}: ${policySummary(policy)}`);
  if (policy.network !== null && allowHosts.length > 0) {
    log.warn('--allow-host is not used: the policy says which part of the network flows may reach');
  }
}

/** Opens the audit log with who begins this life. Throws EnvironmentError when the policy requires one and it cannot be kept. */
export function openBooks(
  home: string,
  {
    policy,
    credentials,
    isHomeTemporary,
    log,
  }: { policy: LocalPolicy | null; credentials: Credentials; isHomeTemporary: boolean; log: Log },
): Books {
  const audit = openAuditLog(home, { clock: systemClock, log });
  const { runnerId, apiBaseUrl, workspace, mode } = credentials;
  audit.write({
    event: 'runner_started',
    version,
    pid: process.pid,
    uid: process.getuid?.() ?? null,
    runnerId,
    bridge: apiBaseUrl,
    workspace,
    mode,
    policy: policy?.path ?? null,
  });
  const isRequired = policy?.isAuditRequired === true;
  const missing = isHomeTemporary ? `${home} is removed when the runner ends` : audit.problem();
  if (isRequired && missing !== null) {
    throw new EnvironmentError(`the policy ${policy.path} requires an audit log: ${missing}`, {
      hint: 'Set QUALINET_HOME to a folder that can be written and is kept.',
    });
  }
  return {
    rules: { policy, whyNoRun: () => (isRequired ? audit.problem() : null) },
    audit,
    onEvent(event) {
      const entry = auditEntryOf(event);
      if (entry !== null) audit.write(entry);
    },
    keyRenewed: (next) =>
      audit.write({ event: 'key_renewed', runnerId, generation: newestKey(next).generation }),
    close(end) {
      const how =
        'error' in end ? { error: nameOf(end.error) } : { reason: end.reason, exitCode: end.exitCode };
      audit.write({ event: 'runner_ended', pid: process.pid, ...how });
    },
  };
}

/** Not its text, which may repeat what others wrote. */
function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'unknown';
}
