import { whyNoAuditLog } from '../../agent/audit/audit-log.ts';
import { type Check, failed, ok, warning } from './check.ts';

export const audit: Check = {
  name: 'audit',
  title: 'Audit log',
  needs: ['home'],
  fix: 'Move what is there away, or choose another folder with QUALINET_HOME=/path',
  async run({ config, policy }) {
    const { path, problem } = whyNoAuditLog(config.home);
    if (problem === null) return ok(path);
    // A policy that is wrong is told by its own check.
    const isRequired = (await policy().catch(() => null))?.isAuditRequired === true;
    return isRequired
      ? failed(`${problem}, and the policy requires it`, audit.fix)
      : warning(`${problem}: what is done here leaves no trace`, audit.fix);
  },
};
