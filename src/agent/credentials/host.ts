import { arch, hostname, platform, release } from 'node:os';
import type { Host } from '../../protocol/messages.ts';

/** What an operator sees of this machine before approving it. */
export function describeHost(qualinetVersion: string): Host {
  return {
    hostname: hostname().slice(0, 255),
    platform: platform(),
    arch: arch(),
    osRelease: release().slice(0, 255),
    nodeVersion: process.versions.node,
    qualinetVersion,
  };
}
