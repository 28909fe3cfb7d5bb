import type { ImportContext } from './import-context.ts';
import { NotKept } from './not-kept.ts';
import type { SideCommand } from './side-project.ts';

/** A way to an element as our steps hold it. */
type Selectors = { selector: string; selectors?: string[] };

/**
 * The element of a command: its own locator first, the others that were recorded behind it. `isExact` leaves those out, for a command
 * that counts or that says an element is not there. Throws NotKept where there is no locator that we know.
 */
export function selectorsOf(
  { target, otherTargets }: Pick<SideCommand, 'target' | 'otherTargets'>,
  context: ImportContext,
  { isExact = false } = {},
): Selectors {
  const [own, ...others] = [target, ...(isExact ? [] : otherTargets)].map((locator) => context.text(locator));
  const usable = [
    ...new Set([own, ...others].filter((locator) => locator !== undefined && isLocator(locator))),
  ];
  const [selector, ...selectors] = usable as string[];
  if (selector === undefined) {
    throw new NotKept(
      own === '' ? 'it names no element' : `its locator "${own}" is of no kind that is known`,
    );
  }
  if (selector !== own) {
    const reason = own === '' ? 'it has no target' : `its target "${own}" is of no kind that is known`;
    context.note(`${reason}; the other locators of the recording are used`);
  }
  return selectors.length === 0 ? { selector } : { selector, selectors: selectors.slice(0, 50) };
}

/** True for the ways to an element that Selenium IDE has. */
export function isLocator(locator: string): boolean {
  return /^((id|name|css|xpath|linkText|link|partialLinkText)=\s*\S|\(*\/\/|\{\{)/.test(locator);
}
