import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, onTestFinished } from 'vitest';

const prefix = join(tmpdir(), 'qualinet-test-');

/** A fresh folder that is deleted when the test ends. */
export async function tempFolder(): Promise<string> {
  const folder = await mkdtemp(prefix);
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A fresh folder for the tests of the surrounding block, deleted after the last one. Call what it returns inside a test. */
export function suiteFolder(): () => string {
  let folder: string | null = null;
  beforeAll(async () => {
    folder = await mkdtemp(prefix);
  });
  afterAll(async () => {
    if (folder !== null) await rm(folder, { recursive: true, force: true });
  });
  return () => {
    if (folder === null) throw new Error('the folder is there from the first test on');
    return folder;
  };
}
