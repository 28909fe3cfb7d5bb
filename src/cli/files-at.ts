import { resolve } from 'node:path';
import { filesIn, noFiles, type RunFiles } from '../browser/step/run-files.ts';

/** The files that flows may use: those in the folder that `--files` names, from where the program was started; none without it. */
export function filesAt(folder: string | null, cwd: string): RunFiles {
  return folder === null ? noFiles : filesIn(resolve(cwd, folder));
}
