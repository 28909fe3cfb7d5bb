import { readFile } from 'node:fs/promises';
import { hostname, uptime } from 'node:os';
import type { FlightSnapshot } from './flight-snapshot.ts';

/** The text of a file of the system; null when it cannot be read. */
export type ReadText = (path: string) => Promise<string | null>;

/** From this machine. */
export const readText: ReadText = (path) => readFile(path, 'utf8').catch(() => null);

/** What the system tells of the machine and of the memory of our control group. Absent files give null. */
export async function readMachine(
  readText: ReadText,
): Promise<Pick<FlightSnapshot, 'host' | 'bootId' | 'upMs' | 'systemOomKills' | 'group'>> {
  const [boot, upMs, vmstat, group] = await Promise.all([
    readText('/proc/sys/kernel/random/boot_id'),
    readUpMs(readText),
    readText('/proc/vmstat'),
    readGroup(readText),
  ]);
  return {
    host: hostname(),
    bootId: boot?.trim() || null,
    upMs: upMs ?? uptime() * 1_000,
    systemOomKills: numberAfter('oom_kill', vmstat),
    group,
  };
}

/** Time since the machine was started, asleep included; null where the system does not tell. */
export async function readUpMs(readText: ReadText): Promise<number | null> {
  const seconds = Number.parseFloat((await readText('/proc/uptime')) ?? '');
  return Number.isNaN(seconds) ? null : seconds * 1_000;
}

const groups = '/sys/fs/cgroup';
/** Version 1 says "no limit" with a number near 2^63. */
const noLimit = 2 ** 60;

async function readGroup(readText: ReadText): Promise<FlightSnapshot['group']> {
  const own = (await readText('/proc/self/cgroup')) ?? '';
  const path2 = /^0::(\/.*)$/m.exec(own)?.[1];
  const path1 = /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(\/.*)$/m.exec(own)?.[1];
  // In a container the group of the container is often seen as the root, whatever its path outside is.
  for (const folder of path2 === undefined ? [] : [`${groups}${path2}`, groups]) {
    const [used, limit, events] = await Promise.all(
      ['memory.current', 'memory.max', 'memory.events'].map((name) => readText(join(folder, name))),
    );
    const group = groupOf(used, limit, events);
    if (group !== null) return group;
  }
  for (const folder of path1 === undefined ? [] : [`${groups}/memory${path1}`, `${groups}/memory`]) {
    const [used, limit, control] = await Promise.all(
      ['memory.usage_in_bytes', 'memory.limit_in_bytes', 'memory.oom_control'].map((name) =>
        readText(join(folder, name)),
      ),
    );
    const group = groupOf(used, limit, control);
    if (group !== null) return group;
  }
  return null;
}

function groupOf(
  used: string | null | undefined,
  limit: string | null | undefined,
  events: string | null | undefined,
): FlightSnapshot['group'] {
  const usedBytes = Number.parseInt(used ?? '', 10);
  if (Number.isNaN(usedBytes)) return null;
  const limitBytes = Number.parseInt(limit ?? '', 10);
  return {
    usedBytes,
    limitBytes: Number.isNaN(limitBytes) || limitBytes >= noLimit ? null : limitBytes,
    oomKills: numberAfter('oom_kill', events ?? null),
  };
}

function numberAfter(name: string, text: string | null): number | null {
  const found = new RegExp(`^${name} (\\d+)$`, 'm').exec(text ?? '')?.[1];
  return found === undefined ? null : Number(found);
}

function join(folder: string, name: string): string {
  return `${folder.replace(/\/$/, '')}/${name}`;
}
