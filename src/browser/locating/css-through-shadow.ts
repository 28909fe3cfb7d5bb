/**
 * Runs IN THE PAGE, sent as source text: it must not use anything from outside itself.
 * The elements in `trees` that a CSS selector matches when its combinators lead from shadow trees to the elements that hold them, as they
 * do for Playwright; nothing above `root` counts. Null for what needs more than that: lists, and selectors within selectors. Throws for one that is malformed.
 */
export function cssThroughShadow(
  trees: readonly ParentNode[],
  root: Document | Element,
  selector: string,
): Element[] | null {
  interface Step {
    compound: string;
    /** How it is reached from the one before it. */
    by: string;
  }

  /** `a > b c` as its compounds; null for what cannot be taken apart. */
  function stepsOf(): Step[] | null {
    const token =
      /\s*([>+~,])\s*|(\s+)|(\\[\s\S]|"(?:\\[\s\S]|[^"\\])*"|'(?:\\[\s\S]|[^'\\])*'|\[(?:"[^"]*"|'[^']*'|[^\]"'])*\]|\((?:"[^"]*"|'[^']*'|[^()"'])*\)|[^\s>+~,[\]()"'\\])/y;
    const steps: Step[] = [{ compound: '', by: '' }];
    const text = selector.trim();
    while (token.lastIndex < text.length) {
      const [, sign, space, piece] = token.exec(text) ?? [];
      if (sign === ',' || (sign === undefined && space === undefined && piece === undefined)) return null;
      const last = steps.at(-1);
      if (piece === undefined) steps.push({ compound: '', by: sign ?? ' ' });
      else if (last !== undefined) last.compound += piece;
    }
    return steps.some(({ compound }) => compound === '') ? null : steps;
  }

  function parentOf(element: Element): Element | null {
    if (element === root) return null;
    const parent = element.parentNode instanceof ShadowRoot ? element.parentNode.host : element.parentElement;
    return parent === root ? null : parent;
  }

  function previousOf(element: Element): Element | null {
    return element === root ? null : element.previousElementSibling;
  }

  function isReached(element: Element, at: number, steps: readonly Step[]): boolean {
    const by = steps[at]?.by;
    const before = steps[at - 1];
    if (before === undefined) return true;
    const nextOf = by === '+' || by === '~' ? previousOf : parentOf;
    for (let other = nextOf(element); other !== null; other = nextOf(other)) {
      if (other.matches(before.compound) && isReached(other, at - 1, steps)) return true;
      if (by === '>' || by === '+') return false;
    }
    return false;
  }

  if (/:(?:scope|host|root|has)|::|:(?:is|not|where)\([^)]*[\s>+~(]/.test(selector)) return null;
  const steps = stepsOf();
  const last = steps?.at(-1);
  if (steps === null || last === undefined) return null;
  // Throws where the page does not understand it.
  document.createDocumentFragment().querySelector(selector);
  return trees
    .flatMap((tree) => [...tree.querySelectorAll(last.compound)])
    .filter((element) => isReached(element, steps.length - 1, steps));
}
