import type { Locator } from 'playwright-core';
import { isTimeout } from '../step/step-error.ts';
import type { TimeBudget } from '../step/time-budget.ts';
import { type ActOptions, reasonOf, wasDone } from './act-on-element.ts';

/** A point in an element, in CSS pixels from its top left corner. */
export interface Point {
  x: number;
  y: number;
}

/** How Playwright is to point: where in the element, and whether it looks at what else is there. */
interface PointOptions extends ActOptions {
  position?: Point;
  force?: true;
}

/** What is done at a point, and when it goes to whatever covers the element. */
export interface Pointing {
  /** As the flow says it; one outside of the element means its middle. */
  position?: Point | undefined;
  /** It seemed to be covered. */
  isCovered: boolean;
  /** Asked when something covers the element: true where the point counts, and no longer what is there. */
  mayGoThrough(): boolean;
  act(options: PointOptions): Promise<void>;
  budget: TimeBudget;
}

/**
 * Does something at a point of an element. What covers it gets it where both are parts of one control, as the words and the
 * shade of one button, and where the flow goes through covers; otherwise this rejects as Playwright does. The name of the
 * cover it went to, or null.
 */
export async function pointAt(
  target: Locator,
  { position, isCovered, mayGoThrough, act, budget }: Pointing,
  options: ActOptions,
): Promise<string | null> {
  const point = position === undefined ? null : await target.evaluate(pointWithin, position, options);
  const at = point === null ? options : { ...options, position: point };

  async function goThrough(): Promise<{ to: string | null } | null> {
    const { cover, isOneControl } = await target.evaluate(coverInPage, point, options);
    if (cover === null || !(isOneControl || mayGoThrough())) return null;
    const timeout = Math.max(1, Math.min(options.timeout, budget.remainingMs()));
    await act({ ...at, timeout, force: true });
    return { to: isOneControl ? null : cover };
  }

  if (isCovered) {
    const gone = await goThrough();
    if (gone !== null) return gone.to;
  }
  try {
    await act(at);
    return null;
  } catch (error) {
    if (!isTimeout(error) || wasDone(error) || !/intercepts pointer/.test(reasonOf(error) ?? '')) throw error;
    const gone = await goThrough();
    if (gone === null) throw error;
    return gone.to;
  }
}

/**
 * Runs IN THE PAGE, sent as source text: it must not use anything from outside itself. The point as Playwright counts, from within
 * the border; null for one that is not in the element, as in recordings of a page that looked otherwise.
 */
function pointWithin(element: Element, { x, y }: Point): Point | null {
  const { width, height } = element.getBoundingClientRect();
  if (x < 0 || y < 0 || x > width || y > height) return null;
  return { x: x - element.clientLeft, y: y - element.clientTop };
}

/** Runs IN THE PAGE, sent as source text: it must not use anything from outside itself. */
function coverInPage(element: Element, point: Point | null): { cover: string | null; isOneControl: boolean } {
  const controls =
    'a[href],button,label,summary,select,[onclick],[role=button],[role=link],[role=menuitem],[role=tab],' +
    '[role=option],[role=checkbox],[role=radio],[role=switch],[role=treeitem],[role=gridcell]';

  function parentOf(node: Element): Element | null {
    const root = node.getRootNode();
    return node.parentElement ?? (root instanceof ShadowRoot ? root.host : null);
  }

  function controlOf(node: Element): Element | null {
    for (let at: Element | null = node; at !== null; at = parentOf(at)) if (at.matches(controls)) return at;
    return null;
  }

  const { left, top, right, bottom } = element.getBoundingClientRect();
  const x =
    point === null
      ? (Math.max(left, 0) + Math.min(right, innerWidth)) / 2
      : left + element.clientLeft + point.x;
  const y =
    point === null
      ? (Math.max(top, 0) + Math.min(bottom, innerHeight)) / 2
      : top + element.clientTop + point.y;
  let hit = document.elementFromPoint(x, y);
  for (let deeper = hit; deeper?.shadowRoot; ) {
    deeper = deeper.shadowRoot.elementFromPoint(x, y);
    if (deeper === null || deeper === hit) break;
    hit = deeper;
  }
  if (hit === null) return { cover: null, isOneControl: false };
  for (let node: Element | null = hit; node !== null; node = parentOf(node)) {
    if (node !== element) continue;
    // Nothing here covers it: what does is of the page around its frame, or has gone by now.
    return { cover: window.parent === window ? null : 'something over its frame', isOneControl: false };
  }
  const own = controlOf(element);
  const theirs = controlOf(hit);
  const isItsLabel = theirs instanceof HTMLLabelElement && theirs.control === element;
  const name = `<${hit.localName}${hit.id === '' ? '' : `#${hit.id}`}${[...hit.classList]
    .slice(0, 2)
    .map((each) => `.${each}`)
    .join('')}>`;
  return { cover: name, isOneControl: isItsLabel || (own !== null && own === theirs) };
}
