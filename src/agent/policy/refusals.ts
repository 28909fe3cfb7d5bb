import { type Block, stepsIn } from '../../flow/step.ts';
import { CancelledError, EnvironmentError } from '../../lib/errors.ts';
import { portOf } from '../../lib/host-and-port.ts';
import type { LocalPolicy } from './local-policy.ts';

/** The run took longer than this machine lets runs take. */
export class PolicyTimeoutError extends CancelledError {}

/** Why the policy does not let these steps be executed, those in branches included; null when it does. */
export function whyNotSteps(steps: Block, policy: LocalPolicy | null): string | null {
  if (policy === null || policy.nodeTypes.length === 0) return null;
  const forbidden = stepsIn(steps).filter(({ type }) => !policy.nodeTypes.includes(type));
  if (forbidden.length === 0) return null;
  const types = [...new Set(forbidden.map(({ type }) => type))].join(', ');
  return `the policy of this machine does not let flows have nodes of the type ${types}; its owner may add it to "nodeTypes" in ${policy.path}`;
}

/** The end of a run that took longer than the policy lets it. */
export function tookTooLong({ path, maxRunMs }: LocalPolicy): PolicyTimeoutError {
  const seconds = Math.round((maxRunMs ?? 0) / 1_000);
  return new PolicyTimeoutError(
    `the run took longer than the ${seconds} s that the policy of this machine gives it; its owner may raise "maxRunSeconds" in ${path}`,
  );
}

/** Why the policy lets no picture leave for `target`; null when it does. */
export function whyNotUpload(target: URL | null, policy: LocalPolicy | null): string | null {
  if (policy === null || policy.uploads === true) return null;
  const advice = `its owner may change "uploads" in ${policy.path}`;
  if (policy.uploads === false) return `the policy of this machine lets no picture leave it; ${advice}`;
  if (target === null) return null;
  const { hostname } = target;
  return policy.uploads.some((pattern) => pattern.matchesHost(hostname, portOf(target)))
    ? null
    : `the policy of this machine lets no picture go to ${target.host}; ${advice}`;
}

/** Throws EnvironmentError when the policy takes no runs of this bridge or workspace. */
export function ensurePolicyTakes(
  { apiBaseUrl, workspace }: { apiBaseUrl: string; workspace: string },
  policy: LocalPolicy | null,
): void {
  if (policy === null) return;
  const { bridges, workspaces, path } = policy;
  if (bridges.length > 0 && !bridges.includes(apiBaseUrl))
    throw notTaken(`the bridge ${apiBaseUrl}`, 'bridges', path);
  if (workspaces.length > 0 && !workspaces.includes(workspace)) {
    throw notTaken(`the workspace ${workspace}`, 'workspaces', path);
  }
}

function notTaken(what: string, field: string, path: string): EnvironmentError {
  return new EnvironmentError(`the policy of this machine takes no runs of ${what}`, {
    hint: `Add it to "${field}" in ${path}, or pair with another: qualinet pair --force`,
  });
}
