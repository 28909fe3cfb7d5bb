import type { DataOf, NodeType } from '../../flow/node-types/node-types.ts';
import type { RunVariables } from '../../flow/run-variables.ts';
import type { Step } from '../../flow/step.ts';
import type { StepResult } from '../../protocol/run-result.ts';
import type { Hidden } from '../evidence/hide-secrets.ts';
import type { Picture } from '../evidence/take-picture.ts';
import type { Found, LocateDeps } from '../locating/locate.ts';
import type { PageEmulation } from '../pages/page-emulation.ts';
import type { RunDialogs } from '../pages/run-dialogs.ts';
import type { RunDownloads } from '../pages/run-downloads.ts';
import type { RunPages } from '../pages/run-pages.ts';
import type { RunFiles } from '../step/run-files.ts';

/** What an action works on and may use: `page` and `frame` are those of this step. */
export interface Scene extends LocateDeps {
  /** The variables of the run as they are now; none of the machine's secrets is among them. */
  variables: RunVariables;
  files: RunFiles;
  /** Of a loop: how many of its rounds are over. */
  roundsDone: number;
  dialogs: RunDialogs;
  downloads: RunDownloads;
  /** What no picture of this run may show. */
  hidden: Hidden;
  /** The node of this step. */
  nodeId: string;
  /** The steps that may come after this one, in order. */
  ahead(): Iterable<Step>;
  /** All pages of the run. */
  pages: RunPages;
  emulation: PageEmulation;
}

/** What an action did: a sentence for people, and what the result of its step holds besides. */
export interface ActionDone {
  logs: string;
  healed?: NonNullable<StepResult['healed']>;
  /** The variable that the step sets, whole; the result may cut it. */
  extracted?: { variable: string; value: unknown };
  download?: NonNullable<StepResult['download']>;
  /** A picture to keep with the result. */
  picture?: Picture;
  /** The edge that a step which branches goes on along. */
  branch?: string;
  /** Of a loop that asks nothing between its rounds: what each of them has for `as`. */
  values?: readonly unknown[];
}

/** What a node type does. Data has its variables in place and was checked. Failures are thrown as StepFailure or as Playwright throws them. */
export type Action<Type extends NodeType> = (data: DataOf<Type>, scene: Scene) => Promise<ActionDone>;

/** How an element was found. */
export type FoundBy = Pick<Found, 'label' | 'healed' | 'passedOver'>;

/** The end of an action on an element that was found. */
export function done(sentence: string, { healed, passedOver = 'was not there' }: FoundBy): ActionDone {
  if (healed === undefined) return { logs: sentence };
  return { logs: `${sentence}, because ${healed.insteadOf} ${passedOver}`, healed };
}
