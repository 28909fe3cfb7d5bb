import { fromTheFirst, parsePosition, positionText } from '../events/event-log.ts';
import { followRun, hasNothingAfter } from '../events/follow-run.ts';
import { cancelRun } from '../leases/cancel-run.ts';
import type { LeaseDeps } from '../leases/lease-deps.ts';
import { ProblemError } from '../problem-error.ts';
import { type CodeDeps, createCode } from '../runners/pairing-codes.ts';
import { runnersOnPreviousSecret } from '../runners/previous-secret.ts';
import type { KeyDeps } from '../runners/runner-keys.ts';
import { decideRunner, drainRunner, listRunners, revokeRunner } from '../runners/runners.ts';
import { explainRun } from '../runs/explain-run.ts';
import { listRuns, readRun, submitRun } from '../runs/runs.ts';
import type { Handlers } from './handler.ts';

type OperatorDeps = LeaseDeps &
  Pick<CodeDeps, 'peppers'> &
  Pick<KeyDeps, 'workerSecrets'> & {
    publicUrl: () => string;
    autoApprove: boolean;
    isManagedAllowed: boolean;
  };

type RunRoutes = 'submitRun' | 'listRuns' | 'readRun' | 'explainRun' | 'cancelRun' | 'followRun';
type RunnerRoutes = 'createCode' | 'listRunners' | 'decideRunner' | 'drainRunner' | 'revokeRunner';

/** Routes of operators about runners. */
export function operatorRunnerRoutes(deps: OperatorDeps): Pick<Handlers, RunnerRoutes> {
  return {
    async createCode({ body }) {
      if (body.managed === true && !deps.isManagedAllowed) {
        throw new ProblemError('not_allowed', {
          detail:
            'managed pairing is off on this bridge; it needs QUALINET_ALLOW_MANAGED_PAIR=true and QUALINET_MANAGED_PAIR_SECRET',
        });
      }
      const { expiresAtMs, ...code } = await createCode(deps, body, deps.autoApprove);
      return { ...code, expiresAt: new Date(expiresAtMs).toISOString(), apiBaseUrl: deps.publicUrl() };
    },
    async listRunners() {
      const [runners, onPreviousSecret] = await Promise.all([
        listRunners(deps),
        runnersOnPreviousSecret(deps),
      ]);
      return { runners, onPreviousSecret };
    },
    decideRunner: ({ params, body }) => decideRunner(deps, params.runnerId, body.approve),
    drainRunner: ({ params, body }) => drainRunner(deps, params.runnerId, body.drain),
    revokeRunner: ({ params }) => revokeRunner(deps, params.runnerId),
  };
}

/** Routes of operators about runs. */
export function operatorRunRoutes(deps: LeaseDeps): Pick<Handlers, RunRoutes> {
  const runOf = async (runId: string) => {
    const run = await readRun(deps, runId);
    if (run === null) throw noSuchRun();
    return run;
  };
  return {
    submitRun: ({ body, raw }) => submitRun(deps, body, raw.traceParent),
    listRuns: async ({ query }) => ({ runs: await listRuns(deps, query) }),
    readRun: ({ params }) => runOf(params.runId),
    async explainRun({ params }) {
      const why = await explainRun(deps, params.runId);
      if (why === null) throw noSuchRun();
      return why;
    },
    async cancelRun({ params }) {
      await cancelRun(deps, params.runId);
      return runOf(params.runId);
    },
    async followRun({ params, raw }) {
      await runOf(params.runId);
      const position = parsePosition(raw.lastEventId ?? '');
      if (position !== null && (await hasNothingAfter(deps, params.runId, position))) return null;
      return async function* (signal) {
        for await (const update of followRun(deps, params.runId, position ?? fromTheFirst, signal)) {
          yield { id: positionText(update), data: update };
        }
      };
    },
  };
}

function noSuchRun(): ProblemError {
  return new ProblemError('not_found', { detail: 'there is no such run' });
}
