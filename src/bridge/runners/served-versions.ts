import { protocolBegan, protocolVersion } from '../../protocol/limits.ts';
import type { Capabilities, Notice } from '../../protocol/messages.ts';
import { isOlderThan } from '../../protocol/release.ts';
import { ProblemError } from '../problem-error.ts';

/** What operators announce: from `fromMs` on (wall clock), runners older than `minVersion` are served no more. */
export interface EndOfVersions {
  minVersion: string;
  fromMs: number;
}

/** The announcement as runners read it. */
export function noticeOf({ minVersion, fromMs }: EndOfVersions): Notice {
  return { minVersion, from: new Date(fromMs).toISOString() };
}

/**
 * Whether a runner that says this of itself may be given runs: a notice for one whose version is about to end, else null.
 * Throws `upgrade_required`, with the date, for one that is over or speaks another protocol.
 */
export function requireServed(
  { protocol, qualinetVersion }: Pick<Capabilities, 'protocol' | 'qualinetVersion'>,
  end: EndOfVersions | null,
  nowMs: number,
): Notice | null {
  if (protocol !== protocolVersion) throw otherProtocol(protocol);
  if (end === null || !isOlderThan(qualinetVersion, end.minVersion)) return null;
  const notice = noticeOf(end);
  if (nowMs < end.fromMs) return notice;
  throw new ProblemError('upgrade_required', {
    detail: `this bridge serves runners from version ${end.minVersion} on since ${notice.from}; this one is ${qualinetVersion}`,
    minVersion: end.minVersion,
    since: notice.from,
  });
}

function otherProtocol(protocol: number): ProblemError {
  const { release, on } = protocolBegan;
  const isOlder = protocol < protocolVersion;
  return new ProblemError('upgrade_required', {
    detail: `this bridge speaks version ${protocolVersion} of the protocol since ${on}, the runner version ${protocol}${isOlder ? '' : ': the bridge is the older one'}`,
    ...(isOlder ? { minVersion: release } : {}),
    since: on,
    protocol: protocolVersion,
  });
}
