import type { ElementHandle, Frame } from 'playwright-core';
import { readCandidate } from '../locating/read-candidate.ts';
import { answerAs, type Is } from '../step/page-answer.ts';
import { ensureFrameMayHave } from '../step/secret-hosts.ts';
import type { Scene } from './scene.ts';

/** What a function gives that runs IN THE PAGE with all that a selector matches, once it is known to be a result. */
export async function onAllMatches<Given, Result>(
  selector: string,
  inPage: (elements: Element[], given: Given) => Result | Promise<Result>,
  given: Given,
  isResult: Is<Result>,
  { frame, secrets }: Pick<Scene, 'frame' | 'secrets'>,
): Promise<Result> {
  const { playwright } = readCandidate(selector);
  type Sent = (elements: Element[], given: unknown) => Result | Promise<Result>;
  if (secrets === undefined) {
    return answerAs(isResult, await frame.locator(playwright).evaluateAll(inPage as Sent, given as unknown));
  }
  // Only the document that was judged hears what is looked for, and none that takes its place.
  const held = await documentOf(frame);
  try {
    ensureFrameMayHave(secrets.used, frame);
    return answerAs(isResult, await held.$$eval(playwright, inPage as Sent, given as unknown));
  } finally {
    held.dispose().catch(() => {});
  }
}

async function documentOf(frame: Frame): Promise<ElementHandle<Document>> {
  const held = (await frame.evaluateHandle(() => document)).asElement();
  if (held === null) throw new Error('a document is a node');
  return held;
}
