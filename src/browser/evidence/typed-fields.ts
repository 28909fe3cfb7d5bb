import type { ElementHandle, Locator } from 'playwright-core';

/** The fields that a run has typed secrets into, for whoever takes a picture of the page. */
export interface TypedFields {
  add(locator: Locator, element: ElementHandle): void;
  /** As the flow finds them: a page that is drawn anew has other elements in the same places. */
  locators(): Locator[];
  /** The very elements. */
  elements(): ElementHandle[];
}

/** None yet. */
export function createTypedFields(): TypedFields {
  const fields: { locator: Locator; element: ElementHandle }[] = [];
  return {
    add: (locator, element) => void fields.push({ locator, element }),
    locators: () => fields.map(({ locator }) => locator),
    elements: () => fields.map(({ element }) => element),
  };
}
