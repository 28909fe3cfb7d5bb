import { join } from 'node:path';
import type { LeaseSpool } from '../../../src/agent/spool/lease-spool.ts';
import { openSpool, type Spool } from '../../../src/agent/spool/spool.ts';
import { nodeDisk, type SpoolDisk } from '../../../src/agent/spool/spool-disk.ts';
import type { Ending, SpoolHeader } from '../../../src/agent/spool/spool-layout.ts';
import type { Log } from '../../../src/lib/log.ts';
import type { NumberedEvent } from '../../../src/protocol/run-result.ts';

export const mib = 1024 ** 2;

export const header: SpoolHeader = {
  leaseId: '7b0f8f0e-7a39-4c0e-9d4e-1a2b3c4d5e6f',
  fence: 3,
  runId: '11111111-1111-4111-8111-111111111111',
  runnerId: '22222222-2222-4222-8222-222222222222',
  apiBaseUrl: 'https://bridge.test',
};

export const passed: Ending = {
  kind: 'result',
  result: { status: 'passed', durationMs: 1, stepsResult: [] },
};

export function numbered(seq: number): NumberedEvent {
  return { seq, at: '2026-11-24T10:00:00.000Z', event: { type: 'step_start', nodeId: `n${seq}` } };
}

/** A spool as a runner would open it. */
export function spoolOf(
  home: string,
  { log, capBytes = 200 * mib, disk = nodeDisk }: { log: Log; capBytes?: number; disk?: SpoolDisk },
): Promise<Spool> {
  return openSpool(home, { log, capBytes, disk });
}

/** Leaves a lease behind, as a runner does that ends in the middle of it. */
export async function leave(
  home: string,
  log: Log,
  lease: SpoolHeader,
  fill: (spool: LeaseSpool) => Promise<unknown> = async () => {},
): Promise<void> {
  const spool = await (await spoolOf(home, { log })).begin(lease);
  await fill(spool);
  await spool.keep();
}

/** A disk with room for `freeBytes` in all; what is removed frees its room again, as a real one would. */
export function smallDisk(freeBytes: number): SpoolDisk & { freeBytes: number } {
  const sizes = new Map<string, number>();
  const disk = {
    freeBytes,
    makeFolder: nodeDisk.makeFolder,
    force: nodeDisk.force,
    async replace(path: string, content: string | Uint8Array) {
      use(path, Buffer.byteLength(content));
      await nodeDisk.replace(path, content);
    },
    async openForAppending(path: string) {
      const file = await nodeDisk.openForAppending(path);
      return {
        ...file,
        async append(text: string) {
          use(path, (sizes.get(path) ?? 0) + Buffer.byteLength(text));
          await file.append(text);
        },
      };
    },
    async shrink(path: string, bytes: number) {
      await nodeDisk.shrink(path, bytes);
      use(path, bytes);
    },
    async remove(path: string) {
      await nodeDisk.remove(path);
      for (const [name, size] of sizes) {
        if (name !== path && !name.startsWith(join(path, '/'))) continue;
        disk.freeBytes += size;
        sizes.delete(name);
      }
    },
  };
  return disk;

  function use(path: string, size: number): void {
    const more = size - (sizes.get(path) ?? 0);
    if (more > disk.freeBytes) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    disk.freeBytes -= more;
    sizes.set(path, size);
  }
}
