import type { Frame, JSHandle, Locator, Page } from 'playwright-core';
import type { LocalSecrets } from '../../flow/local-secrets.ts';
import { errorText } from '../../lib/errors.ts';
import type { TypedFields } from './typed-fields.ts';

/** What no picture may show. */
export interface Hidden {
  secrets: LocalSecrets;
  typed: TypedFields;
}

/** What to lay over a page in a picture, and whether anything was found that was not yet marked for it. */
export interface Cover {
  mask: Locator[];
  /** True when the page has changed since the last look: a picture taken in between shows what it must not. */
  isNews: boolean;
}

const mark = 'data-qualinet-hidden';

/**
 * Looks through all frames for what must not be seen: fields for passwords, fields a secret was typed into, and whatever
 * shows a secret as text or holds it as a value. The texts are searched here and not in the page, which is never told what
 * to look for. Rejects when a frame cannot be looked at: then there is no picture.
 */
export async function coverSecrets(page: Page, { secrets, typed }: Hidden): Promise<Cover> {
  const passwords = page.frames().map((frame) => frame.locator('input[type=password]'));
  if (secrets.names.length === 0) return { mask: passwords, isNews: false };
  for (const element of typed.elements()) {
    // An element that is gone is in no picture.
    await element.evaluate((node, name) => (node as Element).setAttribute(name, ''), mark).catch(() => {});
  }
  let isNews = false;
  for (const frame of page.frames()) {
    const isNewHere = await markIn(frame, secrets).catch((error: unknown) => {
      if (frame.isDetached()) return false;
      throw error;
    });
    isNews ||= isNewHere;
  }
  const marked = page.frames().map((frame) => frame.locator(`[${mark}]`));
  const fields = await stillThere(typed.locatorsIn(page));
  return { mask: [...passwords, ...fields, ...marked], isNews };
}

/** Without those whose frame is gone, for which Playwright takes no picture at all. */
async function stillThere(locators: readonly Locator[]): Promise<Locator[]> {
  const there = await Promise.all(
    locators.map((locator) =>
      locator.count().then(
        () => [locator],
        (error: unknown) => {
          if (/detached|has been closed/i.test(errorText(error))) return [];
          throw error;
        },
      ),
    ),
  );
  return there.flat();
}

/** More text than this is not looked through, and the page not pictured. */
const mostCharacters = 5_000_000;

async function markIn(frame: Frame, { redactor }: LocalSecrets): Promise<boolean> {
  const seen: JSHandle<SeenInPage> = await frame.evaluateHandle(collectTexts);
  try {
    const { texts, values } = await seen.evaluate((page, most) => {
      const size = [...page.texts, ...page.values].reduce((sum, text) => sum + text.length, 0);
      if (size > most) throw new Error('the page holds more text than can be searched for secrets');
      return { texts: page.texts, values: page.values };
    }, mostCharacters);
    const found = {
      owners: holdersOf(texts, redactor.find(texts.join(''))),
      fields: values.flatMap((value, index) => (redactor.find(value).length > 0 ? [index] : [])),
    };
    if (found.owners.length + found.fields.length === 0) return false;
    return await seen.evaluate(
      (page, { owners, fields, name }) => {
        // A text may stand out of its element, which may have no box at all: what holds it is what is covered.
        const holderOf = (at: number): Element | undefined => {
          const [text, owner] = [page.nodes[at], page.owners[at]];
          if (text === undefined || owner === undefined) return owner;
          const range = document.createRange();
          range.selectNode(text);
          const inner = range.getBoundingClientRect();
          const { display, overflow } = getComputedStyle(owner);
          const isCutOff = overflow !== 'visible' && display !== 'inline' && display !== 'contents';
          if (inner.width === 0 || inner.height === 0 || isCutOff) return owner;
          for (let holder = owner; ; ) {
            const outer = holder.getBoundingClientRect();
            const isAround =
              outer.left <= inner.left + 1 &&
              outer.top <= inner.top + 1 &&
              outer.right >= inner.right - 1 &&
              outer.bottom >= inner.bottom - 1;
            const root = holder.getRootNode();
            const parent = holder.parentElement ?? (root instanceof ShadowRoot ? root.host : null);
            if (isAround || parent === null) return holder;
            holder = parent;
          }
        };
        const elements = [...owners.map(holderOf), ...fields.map((at) => page.fields[at])];
        const unmarked = elements.filter((element) => element?.hasAttribute(name) === false);
        for (const element of unmarked) element?.setAttribute(name, '');
        return unmarked.length > 0;
      },
      { ...found, name: mark },
    );
  } finally {
    await seen.dispose().catch(() => {});
  }
}

/** Which of the texts, one behind the other, the places are in. */
function holdersOf(texts: readonly string[], places: readonly { start: number; end: number }[]): number[] {
  const holders: number[] = [];
  let start = 0;
  for (const [index, text] of texts.entries()) {
    const end = start + text.length;
    if (places.some((place) => place.start < end && place.end > start)) holders.push(index);
    start = end;
  }
  return holders;
}

interface SeenInPage {
  /** Texts in the order of the page, and the element each is in. */
  texts: string[];
  nodes: Text[];
  owners: Element[];
  /** What fields hold and what stands in place of images, and the elements that show it. */
  values: string[];
  fields: Element[];
}

/** Runs IN THE PAGE, sent as source text: it must not use anything from outside itself. */
function collectTexts(): SeenInPage {
  const seen: SeenInPage = { texts: [], nodes: [], owners: [], values: [], fields: [] };
  const unseen = ['SCRIPT', 'STYLE', 'NOSCRIPT', 'TEMPLATE', 'TITLE'];
  function look(root: Document | ShadowRoot): void {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      if (node instanceof Text) {
        const parent = node.parentNode instanceof ShadowRoot ? node.parentNode.host : node.parentElement;
        if (parent === null || unseen.includes(parent.nodeName) || node.data.trim() === '') continue;
        seen.texts.push(node.data);
        seen.nodes.push(node);
        seen.owners.push(parent.closest('select') ?? parent);
      } else if (node instanceof Element) {
        const held =
          node instanceof HTMLInputElement || node instanceof HTMLTextAreaElement
            ? [node.value, node.placeholder, node.getAttribute('alt') ?? '']
            : node instanceof HTMLImageElement
              ? [node.alt]
              : node instanceof HTMLOptionElement || node instanceof HTMLOptGroupElement
                ? [node.label]
                : [];
        for (const value of held.filter((each) => each !== '')) {
          seen.values.push(value);
          seen.fields.push(node.closest('select') ?? node);
        }
        if (node.shadowRoot !== null) look(node.shadowRoot);
      }
    }
  }
  look(document);
  return seen;
}
