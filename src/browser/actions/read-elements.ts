import { readCandidate } from '../locating/read-candidate.ts';
import { isNumber, isText, isTruth, listOf, objectOf, orAbsent, orNull } from '../step/page-answer.ts';
import { cut, FrameGoneFailure, isBetweenDocuments, plainMessage, StepFailure } from '../step/step-error.ts';
import {
  type ElementFacts,
  type FactsAsked,
  type FactsRequest,
  type Reading,
  readFacts,
} from './element-facts.ts';
import { onAllMatches } from './on-all-matches.ts';
import type { Scene } from './scene.ts';

/** How long one look waits for news. */
export interface LookFor {
  /** What was read last; null for an answer at once. */
  known: readonly Reading[] | null;
  waitMs: number;
}

/**
 * What each of the selectors matches: at once, or as soon as it is something else than what is known. `again` when the page was just being
 * replaced by another. Throws StepFailure `invalid_data` when no selector means anything.
 */
export async function readElements(
  candidates: readonly string[],
  asked: FactsAsked,
  scene: Scene,
  { known, waitMs }: LookFor,
): Promise<Reading[] | 'again'> {
  const { clock, halt } = scene;
  const isAlone = candidates.length === 1;
  const invalid: string[] = [];
  try {
    if (known !== null && !isAlone) await clock.sleep(Math.min(waitMs, pollMs), halt);
    const readings = await Promise.all(
      candidates.map(async (selector, index) => {
        const before = known?.[index];
        const request: FactsRequest = {
          way: readCandidate(selector).inPage,
          asked,
          known: isAlone && before !== undefined ? JSON.stringify(before) : '',
          waitMs: isAlone ? waitMs : 0,
        };
        try {
          return await onAllMatches(selector, readFacts, request, isReading, scene);
        } catch (error) {
          const message = plainMessage(error);
          if (!isOfSelector.test(message)) throw error;
          invalid.push(`${selector} is no valid selector (${cut(message.split('\n')[0] ?? '', 300)})`);
          return nothing;
        }
      }),
    );
    if (invalid.length === candidates.length) throw new StepFailure('invalid_data', invalid.join('; '));
    return readings;
  } catch (error) {
    if (scene.frame.isDetached()) throw new FrameGoneFailure();
    if (isBetweenDocuments(error)) return 'again';
    throw error;
  }
}

const areFacts = objectOf<ElementFacts>({
  isVisible: isTruth,
  isEnabled: isTruth,
  isEditable: isTruth,
  isChecked: isTruth,
  isFocused: isTruth,
  isStable: isTruth,
  value: isText,
  selected: orNull(listOf(isText)),
  text: isText,
  shownText: orAbsent(isText),
  attributes: listOf(orNull(isText)),
  properties: listOf(orNull(isText)),
});
const isReading = objectOf<Reading>({
  matches: isNumber,
  visible: isNumber,
  first: orNull(areFacts),
  all: listOf(areFacts),
});

const nothing: Reading = { matches: 0, visible: 0, first: null, all: [] };

/** How often several selectors are looked at. */
const pollMs = 16;

const isOfSelector =
  /while parsing|Unknown engine|not a valid|Malformed selector|Invalid|Unexpected|Unsupported|InjectedScript|^TypeError/i;
