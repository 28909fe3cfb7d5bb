import { enrolRunner } from '../runners/enrol.ts';
import { claimCredentials, type PairingDeps, redeemCode } from '../runners/pairing.ts';
import type { Handlers } from './handler.ts';

/** Routes by which a machine becomes a runner. */
export function pairingRoutes(
  deps: PairingDeps & { publicUrl: () => string },
): Pick<Handlers, 'redeemCode' | 'redeemManagedCode' | 'claimCredentials' | 'enrol'> {
  return {
    redeemCode: ({ body, ip }) => redeemCode(deps, body, { managed: false, ip }),
    redeemManagedCode: ({ body, ip }) => redeemCode(deps, body, { managed: true, ip }),
    claimCredentials: ({ body }) => claimCredentials(deps, body, deps.publicUrl()),
    enrol: ({ body, caller }) => enrolRunner(deps, caller.runnerId, body),
  };
}
