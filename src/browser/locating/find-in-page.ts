import { accessibleName } from './accessible-name.ts';
import { cssThroughShadow } from './css-through-shadow.ts';
import { composedForPage } from './page-source.ts';
import type { InPagePart } from './read-candidate.ts';

/**
 * Runs IN THE PAGE. All elements on a way, open shadow trees included, in the order in which Playwright finds them: what it is asked for
 * by number must be the same one. Null where only Playwright's own engines know the way; throws for CSS and XPath that mean nothing to
 * the page.
 */
export const findInPage: (parts: readonly InPagePart[], start: Document | Element) => Element[] | null =
  composedForPage(find, accessibleName, cssThroughShadow);

/** Sent as source text: it must not use anything from outside itself but what it is given. */
function find(
  nameOf: typeof accessibleName,
  throughShadow: typeof cssThroughShadow,
  parts: readonly InPagePart[],
  start: Document | Element,
): Element[] | null {
  const texts = new Map<Node, string>();

  /** A tree and the shadow trees in it, each after the one it hangs in. */
  function treesIn(root: ParentNode): ParentNode[] {
    const trees = [root];
    if (root instanceof Element && root.shadowRoot !== null) trees.push(...treesIn(root.shadowRoot));
    for (const element of root.querySelectorAll('*')) {
      if (element.shadowRoot !== null) trees.push(...treesIn(element.shadowRoot));
    }
    return trees;
  }

  function allIn(root: ParentNode, selector: string): Element[] {
    return treesIn(root).flatMap((tree) => [...tree.querySelectorAll(selector)]);
  }

  function byCss(root: Document | Element, selector: string): Element[] | null {
    const trees = treesIn(root);
    // Where there is but one tree, what the browser finds is what Playwright finds.
    if (root === document && trees.length === 1) return [...document.querySelectorAll(selector)];
    return throughShadow(trees, root, selector);
  }

  function byXPath(root: Document | Element, expression: string): Element[] {
    const within = root === document || !expression.startsWith('/') ? expression : `.${expression}`;
    const found = document.evaluate(within, root, null, XPathResult.ORDERED_NODE_SNAPSHOT_TYPE);
    return Array.from({ length: found.snapshotLength }, (_, at) => found.snapshotItem(at)).filter(
      (node) => node instanceof Element,
    );
  }

  function folded(text: string): string {
    return text.replaceAll('\u200b', '').trim().replace(/\s+/g, ' ');
  }

  function isTextless(node: Node): boolean {
    return ['SCRIPT', 'NOSCRIPT', 'STYLE'].includes(node.nodeName) || document.head?.contains(node) === true;
  }

  function buttonValue(node: Node): string | null {
    return node instanceof HTMLInputElement && (node.type === 'submit' || node.type === 'button')
      ? node.value
      : null;
  }

  function textOf(node: Node): string {
    const known = texts.get(node);
    if (known !== undefined) return known;
    let text = '';
    if (!isTextless(node)) {
      text = buttonValue(node) ?? '';
      if (buttonValue(node) === null) {
        for (const child of node.childNodes) {
          if (child instanceof Text) text += child.data;
          else if (child instanceof Element) text += textOf(child);
        }
        if (node instanceof Element && node.shadowRoot !== null) text += textOf(node.shadowRoot);
      }
    }
    texts.set(node, text);
    return text;
  }

  /** Texts of an element that no element within interrupts. */
  function runsOf(element: Element): string[] {
    const value = buttonValue(element);
    if (value !== null) return [value];
    const runs = [''];
    for (const child of element.childNodes) {
      if (child instanceof Text) runs[runs.length - 1] += child.data;
      else if (child instanceof Element) runs.push('');
    }
    return runs.filter((run) => run !== '');
  }

  /** The innermost elements that hold the text, whatever its case; or those of which an own text is the whole of it. */
  function byText(root: Document | Element, what: string, isWhole: boolean): Element[] {
    const elements = [...(root instanceof Element ? [root] : []), ...allIn(root, '*')];
    if (isWhole) {
      return elements.filter(
        (element) => !isTextless(element) && runsOf(element).some((run) => folded(run) === what),
      );
    }
    const needle = what.toLowerCase();
    const holds = (node: Node): boolean => folded(textOf(node)).toLowerCase().includes(needle);
    let barren: Element | null = null;
    return elements.filter((element) => {
      if (barren?.contains(element) || isTextless(element)) return false;
      if (!holds(element)) {
        barren = element;
        return false;
      }
      return !(
        [...element.children].some((child) => !isTextless(child) && holds(child)) ||
        (element.shadowRoot !== null && holds(element.shadowRoot))
      );
    });
  }

  /** Links by their text as it stands in the document or as it is shown, which styles may write in capitals. */
  function byLink(root: Document | Element, what: string, isWhole: boolean): Element[] {
    const fits = (text: string): boolean => (isWhole ? folded(text) === what : folded(text).includes(what));
    return allIn(root, 'a').filter(
      (link) => fits(textOf(link)) || (link instanceof HTMLElement && fits(link.innerText)),
    );
  }

  /** Elements of this accessible name; where none has it, the innermost ones with just this text. */
  function byName(root: Document | Element, what: string): Element[] {
    const elements = allIn(root, '*').filter((element) => !isTextless(element));
    const isNamed = (element: Element): boolean => nameOf(element) === what;
    // Names of all elements of a large page take long: first of those that are plainly called so.
    const isLikely = (element: Element): boolean =>
      folded(textOf(element)) === what ||
      element.hasAttribute('aria-labelledby') ||
      ('labels' in element && element.labels instanceof NodeList && element.labels.length > 0) ||
      ['aria-label', 'alt', 'title', 'placeholder', 'value'].some(
        (attribute) => folded(element.getAttribute(attribute) ?? '') === what,
      );
    const likely = elements.filter((element) => isLikely(element) && isNamed(element));
    const named = likely.length > 0 ? likely : elements.filter(isNamed);
    if (named.length > 0 || what === '') return named;
    const isIt = (node: Node): boolean => folded(textOf(node)) === what;
    return elements.filter((element) => isIt(element) && ![...element.children].some(isIt));
  }

  let found: (Document | Element)[] = [start];
  for (const part of parts) {
    if (part.by === 'nth') {
      found = found.slice(part.at, part.at + 1);
      continue;
    }
    const next = new Set<Element>();
    for (const root of found) {
      const inRoot =
        part.by === 'css'
          ? byCss(root, part.what)
          : part.by === 'xpath'
            ? byXPath(root, part.what)
            : part.by === 'text'
              ? byText(root, part.what, part.isWhole)
              : part.by === 'link'
                ? byLink(root, part.what, part.isWhole)
                : byName(root, part.what);
      if (inRoot === null) return null;
      for (const element of inRoot) next.add(element);
    }
    found = [...next];
  }
  return found.filter((each) => each instanceof Element);
}
