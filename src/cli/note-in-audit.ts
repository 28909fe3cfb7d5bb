import { type AuditEntry, openAuditLog } from '../agent/audit/audit-log.ts';
import { systemClock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';

/** Puts one thing down in the audit log of a home, for commands that do no more than that one thing. */
export function noteInAudit(home: string, entry: AuditEntry, log: Log): void {
  openAuditLog(home, { clock: systemClock, log }).write(entry);
}
