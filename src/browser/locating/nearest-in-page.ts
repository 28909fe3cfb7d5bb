import { accessibleName } from './accessible-name.ts';
import { composedForPage } from './page-source.ts';
import { tagInPage } from './rules-in-page.ts';

/** What is known of an element that was looked for in vain. */
export interface LookalikeRequest {
  /** Words of its selectors: ids, classes, names, texts. */
  words: readonly string[];
}

/** An element that a person would take for it. */
export interface Lookalike {
  /** `<button#buy-now.large>` */
  element: string;
  /** What it says, cut. */
  text: string;
}

/** Runs IN THE PAGE. The visible element that is most like what was looked for, by its id, classes, names and text; null where none is. */
export const nearestInPage: (request: LookalikeRequest) => Lookalike | null = composedForPage(
  nearest,
  accessibleName,
  tagInPage,
);

/** Sent as source text: it must not use anything from outside itself but what it is given. */
function nearest(
  nameOf: typeof accessibleName,
  tagOf: typeof tagInPage,
  { words }: LookalikeRequest,
): Lookalike | null {
  // More of a page than this is not worth the time of a step that has failed already.
  const endsAt = performance.now() + 100;
  const enough = 0.6;
  const wanted = words.map(plain).filter((word) => word.length > 1);

  function plain(text: string): string {
    return text
      .replace(/([a-z])([A-Z])/g, '$1 $2')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}]+/gu, ' ')
      .trim()
      .slice(0, 60);
  }

  /** 1 for the same text, 0 for nothing in common: by the number of changes from one to the other. */
  function likeness(one: string, other: string): number {
    if (one === other) return 1;
    const longest = Math.max(one.length, other.length);
    if (Math.min(one.length, other.length) < longest / 3) return 0;
    let row = Array.from({ length: other.length + 1 }, (_, at) => at);
    for (let i = 1; i <= one.length; i += 1) {
      const next = [i];
      for (let j = 1; j <= other.length; j += 1) {
        const swap = (row[j - 1] ?? 0) + (one[i - 1] === other[j - 1] ? 0 : 1);
        next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, swap));
      }
      row = next;
    }
    const byChanges = 1 - (row[other.length] ?? longest) / longest;
    const [short, long] = one.length < other.length ? [one, other] : [other, one];
    // `buy` in `buy now`: a word more or less is what ids and texts change by.
    const isPart = short.length > 2 && ` ${long} `.includes(` ${short} `);
    return Math.max(byChanges, isPart ? 0.7 + (0.2 * short.length) / long.length : 0);
  }

  function elementsIn(root: ParentNode): Element[] {
    return [...root.querySelectorAll('*')].flatMap((element) => [
      element,
      ...(element.shadowRoot === null ? [] : elementsIn(element.shadowRoot)),
    ]);
  }

  function isSeen(element: Element): boolean {
    const { width, height } = element.getBoundingClientRect();
    return width > 0 && height > 0 && element.checkVisibility({ visibilityProperty: true });
  }

  function says(element: Element): string {
    const isLeaf = element.childElementCount === 0 || element.matches('a,button,label,summary,option');
    const own = isLeaf ? (element.textContent ?? '').trim().replace(/\s+/g, ' ') : '';
    return nameOf(element) || own;
  }

  if (wanted.length === 0 || document.body === null) return null;
  let best: { element: Element; text: string; score: number } | null = null;
  for (const element of elementsIn(document.body)) {
    if (performance.now() > endsAt) break;
    if (!isSeen(element)) continue;
    const text = says(element);
    const traits = [
      element.id,
      ...element.classList,
      ...['name', 'data-testid', 'data-test', 'placeholder', 'href'].map((name) =>
        (element.getAttribute(name) ?? '').slice(0, 100),
      ),
      text.slice(0, 100),
    ]
      .map(plain)
      .filter((trait) => trait.length > 1);
    let score = 0;
    for (const trait of traits) {
      for (const word of wanted) score = Math.max(score, likeness(word, trait));
    }
    // Of two that are as like, the one that can be used.
    if (element.matches('a,button,input,select,textarea,[role],[onclick],[tabindex]')) score += 0.05;
    if (score >= enough && score > (best?.score ?? 0)) best = { element, text, score };
  }
  if (best === null) return null;
  const { element, text } = best;
  return {
    element: tagOf(element),
    // The sign at the end tells whoever takes secrets out of it that a part of one may stand before it.
    text: text.length <= 60 ? text : `${text.slice(0, 59)}…`,
  };
}
