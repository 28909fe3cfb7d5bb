import { errorText } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import type { RunResult } from '../../protocol/run-result.ts';
import type { KeptPicture } from '../spool/kept-pictures.ts';
import type { Turns } from './turns.ts';
import { type UploadDeps, uploadPicture } from './upload.ts';

/**
 * Uploads pictures that could not be uploaded when they were taken, and gives the result with their addresses. One that
 * still cannot be stays where it is, and the result as it was. Never throws.
 */
export async function addPictures(
  result: RunResult,
  pictures: readonly KeptPicture[],
  lease: { leaseId: string; fence: number },
  deps: UploadDeps & { log: Log; pictureTurns: Turns },
): Promise<RunResult> {
  const stepsResult = [...result.stepsResult];
  // A node in a loop may have failed several times, softly: each of its pictures is of another round.
  const taken = new Set<number>();
  for (const picture of pictures) {
    const index = stepsResult.findIndex(
      ({ nodeId, status, screenshotUrl }, at) =>
        nodeId === picture.nodeId && status === 'failed' && screenshotUrl === undefined && !taken.has(at),
    );
    taken.add(index);
    const upload = async () => uploadPicture(lease, await picture.read(), deps);
    const uploaded = await deps.pictureTurns(upload).catch((error: unknown) => ({
      problem: errorText(error),
    }));
    if ('problem' in uploaded) {
      deps.log.warn(`a picture waits: ${uploaded.problem}`, { leaseId: lease.leaseId });
      continue;
    }
    await picture.drop();
    const step = stepsResult[index];
    if (step === undefined) continue;
    const { screenshotProblem: _solved, ...rest } = step;
    stepsResult[index] = { ...rest, screenshotUrl: uploaded.url };
  }
  return { ...result, stepsResult };
}
