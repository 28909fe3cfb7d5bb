import { findInPage } from './find-in-page.ts';
import { composedForPage } from './page-source.ts';
import type { InPagePart } from './read-candidate.ts';
import { isDisabledInPage, isShownInPage, tagInPage, textInPage } from './rules-in-page.ts';

/**
 * What a step needs of its element before it can act: to be there, to be ready for a click, to take text. `shown` takes one that is hidden
 * only where nothing else is there; so does `checkable`, to which a box shows where its label does.
 */
export type Need = 'present' | 'shown' | 'checkable' | 'clickable' | 'writable';

/** One look at all candidates of a step that the page itself can look for. */
export interface LookRequest {
  ways: readonly (readonly InPagePart[])[];
  need: Need;
  /** The text the element must have, white space folded; null where any will do. */
  expected: string | null;
  /** Return the text a person sees (`innerText`). */
  readsText: boolean;
  /** The last answer as JSON: the look returns when the answer is another one. Empty for an answer at once. */
  known: string;
  /** Longest to wait for another answer. */
  waitMs: number;
}

/** Absent: matches nothing. Different: is there, but its text is not the expected one. Invalid: the selector means nothing to who looked. */
type ElementState =
  | 'ready'
  | 'absent'
  | 'hidden'
  | 'disabled'
  | 'readonly'
  | 'covered'
  | 'different'
  | 'invalid';

/** What one candidate matches in the page. */
export interface ElementLook {
  state: ElementState;
  /** Elements it matches, hidden ones included. */
  matches: number;
  /** Which of them was chosen, counted from 0: the first that is visible. -1 for none. */
  at: number;
  /** What covers it, or how its text is. */
  detail?: string;
  /** It is an option of a select that is closed: there, but with no place in the window. */
  isOption?: true;
  /** It is ready as far as it is there, but another one that shows would be better. */
  isHidden?: true;
}

/** What a look is given in front of its request: elements that another engine has found, or the document it runs in. */
type Given = LookRequest | readonly Element[] | Node;

/**
 * Runs IN THE PAGE. With a request alone it looks for candidates and waits, frame by frame, for an answer other than the known one; with
 * elements in front it judges those. A document in front is the one it runs in.
 */
export const lookInPage: (given: Given, request?: LookRequest) => Promise<ElementLook[]> = composedForPage(
  look,
  findInPage,
  isShownInPage,
  isDisabledInPage,
  textInPage,
  tagInPage,
);

/** Sent as source text: it must not use anything from outside itself but what it is given. */
async function look(
  find: typeof findInPage,
  isShown: typeof isShownInPage,
  isDisabled: typeof isDisabledInPage,
  textOf: typeof textInPage,
  name: typeof tagInPage,
  given: Given,
  requestForElements?: LookRequest,
): Promise<ElementLook[]> {
  const elementsGiven = Array.isArray(given) ? (given as readonly Element[]) : null;
  const request = requestForElements ?? (given as LookRequest);

  function isVisible(element: Element): boolean {
    // An option shows where its select does.
    return isShown((isClosedOption(element) ? element.closest('select') : null) ?? element);
  }

  function isClosedOption(element: Element): boolean {
    return element instanceof HTMLOptionElement && element.getClientRects().length === 0;
  }

  function isReadOnly(element: Element): boolean {
    const isField = element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement;
    return isField && element.readOnly;
  }

  function parentOf(node: Node): Node | null {
    return node.parentNode instanceof ShadowRoot ? node.parentNode.host : node.parentNode;
  }

  /** The element that would get a click instead of this one; null when it gets it, or when it must be scrolled to first. */
  function coverOf(element: Element): Element | null {
    const rect = [...element.getClientRects()].find(
      ({ left, top, right, bottom }) =>
        Math.min(right, innerWidth) - Math.max(left, 0) > 1 &&
        Math.min(bottom, innerHeight) - Math.max(top, 0) > 1,
    );
    if (rect === undefined) return null;
    const x = (Math.max(rect.left, 0) + Math.min(rect.right, innerWidth)) / 2;
    const y = (Math.max(rect.top, 0) + Math.min(rect.bottom, innerHeight)) / 2;
    let hit = document.elementFromPoint(x, y);
    for (let deeper = hit; deeper?.shadowRoot; ) {
      deeper = deeper.shadowRoot.elementFromPoint(x, y);
      if (deeper === null || deeper === hit) break;
      hit = deeper;
    }
    for (let node: Node | null = hit; node !== null; node = parentOf(node)) {
      if (node === element) return null;
      if (node instanceof HTMLLabelElement && node.control === element) return null;
    }
    for (let node = parentOf(element); node instanceof Element; node = parentOf(node)) {
      const box = node.getBoundingClientRect();
      const clips = getComputedStyle(node).overflow !== 'visible';
      if (clips && (x < box.left || x > box.right || y < box.top || y > box.bottom)) return null;
    }
    return hit;
  }

  // The sign at the end tells whoever takes secrets out of it that a part of one may stand before it.
  function cut(text: string, length: number): string {
    return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
  }

  function hasVisibleLabel(element: Element): boolean {
    return element instanceof HTMLInputElement && [...(element.labels ?? [])].some(isVisible);
  }

  function judge(elements: readonly Element[]): ElementLook {
    const isAnyGood = ['present', 'shown', 'checkable'].includes(request.need);
    const shows =
      request.need === 'checkable' ? (each: Element) => isVisible(each) || hasVisibleLabel(each) : isVisible;
    const visibleAt = elements.findIndex(shows);
    const at = visibleAt === -1 && isAnyGood && elements.length > 0 ? 0 : visibleAt;
    const element = elements[at];
    const look = (state: ElementState, detail?: string): ElementLook => ({
      state,
      matches: elements.length,
      at,
      ...(detail === undefined ? {} : { detail }),
      ...(element !== undefined && isClosedOption(element) ? { isOption: true } : {}),
      ...(visibleAt === -1 && isAnyGood && request.need !== 'present' ? { isHidden: true } : {}),
    });
    if (elements.length === 0) return look('absent');
    if (element === undefined) return look('hidden');
    if (!isAnyGood && isDisabled(element)) return look('disabled');
    if (request.need === 'writable' && isReadOnly(element)) return look('readonly');
    if (request.need === 'clickable') {
      const cover = coverOf(element);
      if (cover !== null) return look('covered', name(cover));
    }
    if (request.expected !== null) {
      const text = textOf(element).replaceAll('\u200b', '').trim().replace(/\s+/g, ' ');
      // As it stands in the document, or as people see it: with line breaks, in capitals, without what is hidden.
      const isIt = text === request.expected || shownTextOf(element) === request.expected;
      return look(isIt ? 'ready' : 'different', cut(text, 4_000));
    }
    if (!request.readsText) return look('ready');
    const text = element instanceof HTMLElement ? element.innerText : textOf(element);
    return look('ready', cut(text, 100_000));
  }

  function shownTextOf(element: Element): string | null {
    return element instanceof HTMLElement
      ? element.innerText.replaceAll('\u200b', '').trim().replace(/\s+/g, ' ')
      : null;
  }

  function judgeWay(way: readonly InPagePart[]): ElementLook {
    const unknown: ElementLook = { state: 'invalid', matches: 0, at: -1 };
    try {
      const elements = find(way, document);
      return elements === null ? unknown : judge(elements);
    } catch {
      return unknown;
    }
  }

  function nextFrame(): Promise<void> {
    return new Promise((resolve) => {
      requestAnimationFrame(() => resolve());
      // Pages in the background get no frames.
      setTimeout(resolve, 50);
    });
  }

  if (elementsGiven !== null) return [judge(elementsGiven)];

  const endsAt = performance.now() + request.waitMs;
  for (;;) {
    const startedAt = performance.now();
    const looks = request.ways.map(judgeWay);
    const lookedAt = performance.now();
    if (JSON.stringify(looks) !== request.known || lookedAt >= endsAt) return looks;
    // A page that is large is left two thirds of its time.
    do await nextFrame();
    while (performance.now() < Math.min(endsAt, lookedAt + 2 * (lookedAt - startedAt)));
  }
}
