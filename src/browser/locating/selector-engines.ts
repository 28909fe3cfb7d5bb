import type { Selectors } from 'playwright-core';
import { findInPage } from './find-in-page.ts';
import { sourceForPage } from './page-source.ts';

/**
 * Teaches Playwright the ways to an element that it has no words for, by the very functions that look for them in the page:
 * `accessibleName=`, `linkText=` and `partialLinkText=`. What was found by one of them can be acted on then like anything else.
 * Contexts opened afterwards know them. Once for a process.
 */
export function addSelectorEngines(selectors: Selectors): Promise<void> {
  added ??= Promise.all(
    engines.map(([name, part]) =>
      // In a world of their own, where the page's scripts do not hear what is looked for.
      selectors.register(name, { content: sourceOf(part) }, { contentScript: true }),
    ),
  ).then(() => {});
  return added;
}

let added: Promise<void> | null = null;

const engines = [
  ['accessibleName', { by: 'name' }],
  ['linkText', { by: 'link', isWhole: true }],
  ['partialLinkText', { by: 'link', isWhole: false }],
] as const;

function sourceOf(part: object): string {
  return `({
    queryAll(root, body) {
      const find = ${sourceForPage(queryAll, findInPage)};
      return find(${JSON.stringify(part)}, root, body);
    },
    query(root, body) { return this.queryAll(root, body)[0]; },
  })`;
}

/** Runs IN THE PAGE, sent as source text. The body is a text in quotes as JSON writes it. */
function queryAll(
  find: typeof findInPage,
  part: { by: 'name' } | { by: 'link'; isWhole: boolean },
  root: Document | Element,
  body: string,
): Element[] {
  const what = body.startsWith('"') ? (JSON.parse(body) as string) : body.trim();
  return find([{ ...part, what }], root) ?? [];
}
