import type { ElementHandle, Locator, Page } from 'playwright-core';

/** The fields that a run has typed secrets into, for whoever takes a picture of the page. */
export interface TypedFields {
  add(locator: Locator, element: ElementHandle): void;
  /** As the flow finds them in this page: one that is drawn anew has other elements in the same places. */
  locatorsIn(page: Page): Locator[];
  /** The very elements. */
  elements(): ElementHandle[];
}

/** None yet. */
export function createTypedFields(): TypedFields {
  const fields: { locator: Locator; element: ElementHandle }[] = [];
  return {
    add: (locator, element) => void fields.push({ locator, element }),
    locatorsIn: (page) => fields.map(({ locator }) => locator).filter((locator) => locator.page() === page),
    elements: () => fields.map(({ element }) => element),
  };
}
