import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { Fleet } from './fleet.ts';

/** Secrets that were sent, logged or written where they do not belong, one sentence each. */
export async function toldSecrets(fleet: Fleet): Promise<string[]> {
  const places: { where: string; bytes: Buffer; allowed?: string }[] = [];
  const sent = fleet.proxy.traffic.filter(({ direction }) => direction === 'sent');
  places.push({ where: 'what runners sent', bytes: Buffer.concat(sent.map(({ bytes }) => bytes)) });
  for (const route of new Set(fleet.proxy.traffic.map(({ route }) => route))) {
    const received = fleet.proxy.traffic.filter(
      (part) => part.direction === 'received' && part.route === route,
    );
    places.push({
      where: `what runners were answered to ${route}`,
      bytes: Buffer.concat(received.map(({ bytes }) => bytes)),
      // A run's variables travel in its lease, to the runner that types them.
      ...(route === 'pollLeases' ? { allowed: 'password' } : {}),
    });
  }
  places.push({ where: "the bridge's log", bytes: Buffer.from(fleet.bridge.lines.join('\n')) });
  for (const runner of fleet.runners) {
    places.push({ where: "a runner's log", bytes: Buffer.from(runner.lines.join('\n')) });
    for (const path of await filesIn(runner.home)) {
      const where = relative(runner.home, path);
      if (where !== 'runner.json') places.push({ where, bytes: await readFile(path) });
    }
  }
  return places.flatMap(({ where, bytes, allowed }) =>
    Object.entries(fleet.secrets)
      .filter(([name, secret]) => name !== allowed && bytes.includes(Buffer.from(secret, 'latin1')))
      .map(([name]) => `the secret "${name}" stands in ${where}`),
  );
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
