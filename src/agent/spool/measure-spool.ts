import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { spoolRoot } from './spool-layout.ts';

/** What the spool of `home` holds at the moment. What goes away while it is counted counts nothing. */
export async function measureSpool(home: string): Promise<{ runs: number; bytes: number }> {
  const root = spoolRoot(home);
  const folders = await readdir(root).catch(() => []);
  const files = await Promise.all(
    folders.map(async (folder) => {
      const names = await readdir(join(root, folder)).catch(() => []);
      return names.map((name) => join(root, folder, name));
    }),
  );
  const sizes = await Promise.all(
    files.flat().map(async (path) => (await stat(path).catch(() => null))?.size ?? 0),
  );
  return { runs: folders.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}
