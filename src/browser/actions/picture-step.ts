import type { DataOf } from '../../flow/node-types/node-types.ts';
import { candidatesOf, hasTarget } from '../../flow/step.ts';
import { takePicture } from '../evidence/take-picture.ts';
import { locate } from '../locating/locate.ts';
import { StepFailure } from '../step/step-error.ts';
import { type ActionDone, done, type Scene } from './scene.ts';

/** Takes a picture of the window, the whole page or an element, as masked as that of a failure. */
export async function pictureStep(data: DataOf<'screenshot'>, scene: Scene): Promise<ActionDone> {
  const { page, clock, halt, hidden, budget } = scene;
  const found = hasTarget(data)
    ? await locate({ candidates: candidatesOf(data), need: 'shown' }, scene)
    : null;
  const of = found?.locator ?? (data.fullPage === true ? 'page' : 'window');
  const picture = await takePicture(page, { clock, halt, hidden, of, limitMs: budget.remainingMs() });
  if ('problem' in picture) throw new StepFailure('not_actionable', picture.problem);
  if (found !== null) return { ...done(`Pictured ${found.label}`, found), picture };
  return { logs: of === 'page' ? 'Pictured the whole page' : 'Pictured the window', picture };
}
