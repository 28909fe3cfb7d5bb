import { spawnSync } from 'node:child_process';
import { runnerProgram } from '../support/system.ts';
import { interleave, type Measured } from './interleave.ts';

/** How long `qualinet --version` takes, against a Node that does nothing. */
export function measureStartTime(): Promise<Measured[]> {
  const timed = (args: readonly string[]) => async (): Promise<number> => {
    const startedAt = performance.now();
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}: ${stderr}`);
    return performance.now() - startedAt;
  };
  return interleave(
    [
      { name: 'node -e 0', round: timed(['-e', '0']) },
      { name: 'qualinet --version', round: timed([runnerProgram, '--version']) },
    ],
    31,
  );
}
