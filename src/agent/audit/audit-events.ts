import type { AgentEvent } from '../agent-event.ts';
import type { AuditEntry } from './audit-log.ts';

/** The entry of the audit log that an event of the runner makes; null for one that makes none. No value of a flow is in it. */
export function auditEntryOf(event: AgentEvent): AuditEntry | null {
  switch (event.type) {
    case 'run_started':
      return { event: event.type, runId: event.runId, attempt: event.attempt };
    case 'deed': {
      const { type, ...about } = event.deed;
      return { event: type, runId: event.runId, ...about };
    }
    case 'run_ended': {
      const { type, runId, durationMs, end } = event;
      return { event: type, runId, durationMs, ...howEnded(end) };
    }
    case 'debt_ended':
      return { event: 'run_delivered_late', runId: event.runId, ...howEnded(event.end) };
    case 'drain_ordered':
    case 'drain_lifted':
      return { event: event.type };
    case 'connected':
    case 'disconnected':
    case 'step':
    case 'debt_began':
      return null;
  }
}

function howEnded(end: Extract<AgentEvent, { type: 'run_ended' }>['end']): {
  end: string;
  status?: string;
  reason?: string;
} {
  switch (end.kind) {
    case 'delivered':
      return { end: end.kind, status: end.status };
    case 'released':
      return { end: end.kind, reason: end.reason };
    case 'lost':
    case 'kept':
      return { end: end.kind };
  }
}
