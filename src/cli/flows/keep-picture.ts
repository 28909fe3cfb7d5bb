import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { StepPicture } from '../../browser/keep-evidence.ts';
import { errorText } from '../../lib/errors.ts';

/** Writes a picture into the folder, by its time and node. */
export async function keepPicture(
  { nodeId, bytes, contentType }: StepPicture,
  folder: string,
): Promise<{ url: string } | { problem: string }> {
  const path = join(folder, `${fileNameFor(nodeId)}.${contentType.replace(/^image\//, '')}`);
  try {
    await mkdir(folder, { recursive: true });
    // Runs beside each other may take pictures of one node in the same millisecond.
    await writeFile(path, bytes, { flag: 'wx' });
    return { url: pathToFileURL(path).href };
  } catch (error) {
    return { problem: `cannot write ${path}: ${errorText(error)}` };
  }
}

let written = 0;

/** A name that no other file of this process has: the time, what it shows, a number. */
export function fileNameFor(name: string): string {
  written += 1;
  const time = new Date().toISOString().replace(/[:.]/g, '-');
  return `${time}-${written}-${name.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 60)}`;
}
