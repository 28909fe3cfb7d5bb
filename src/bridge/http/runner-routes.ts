import { controlHints } from '../control-hints.ts';
import type { LeaseDeps } from '../leases/lease-deps.ts';
import { type KeyDeps, rotateKey } from '../runners/runner-keys.ts';
import { isApproved, leasesHeldBy, revokeRunner } from '../runners/runners.ts';
import { type EndOfVersions, noticeOf } from '../runners/served-versions.ts';
import type { Handlers } from './handler.ts';

/** Routes of a runner about itself. */
export function runnerRoutes(
  deps: LeaseDeps & Pick<KeyDeps, 'workerSecrets'> & { endOfVersions: EndOfVersions | null },
): Pick<Handlers, 'runnerSelf' | 'retireSelf' | 'rotateCredentials' | 'control'> {
  return {
    async runnerSelf({ caller }) {
      const { notAfterMs, mustRotate: _, ...self } = caller;
      const { endOfVersions } = deps;
      return {
        ...self,
        notAfter: new Date(notAfterMs).toISOString(),
        ...(endOfVersions === null ? {} : { notice: noticeOf(endOfVersions) }),
      };
    },
    async retireSelf({ caller }) {
      await revokeRunner(deps, caller.runnerId);
      return { done: true };
    },
    rotateCredentials: ({ body, caller }) => rotateKey(deps, caller, body.publicKey),
    control:
      async ({ caller }) =>
      (signal) =>
        controlHints(
          {
            ...deps,
            isApproved: (id) => isApproved(deps.db, id),
            leasesHeldBy: (id) => leasesHeldBy(deps.db, id),
          },
          caller,
          signal,
        ),
  };
}
