/**
 * A function that runs in the page, made of one that is given others as its first arguments. Playwright sends functions as their source
 * text, in which nothing that was imported exists; this one's text holds theirs as well.
 */
export function composedForPage<Parts extends readonly InPageFunction[], Rest extends unknown[], Result>(
  main: (...args: [...Parts, ...Rest]) => Result,
  ...parts: Parts
): (...rest: Rest) => Result {
  const source = sourceForPage(main, ...parts);
  return Object.assign(
    (): never => {
      throw new Error('this function runs in pages only');
    },
    { toString: () => source },
  );
}

/** The source text of such a function, an expression. */
export function sourceForPage(main: InPageFunction, ...parts: readonly InPageFunction[]): string {
  return `(...rest) => (${main})(${parts.map((part) => `(${part})`).join(', ')}, ...rest)`;
}

// biome-ignore lint/suspicious/noExplicitAny: functions of any kind are sent; how they are called is checked where they are composed
type InPageFunction = (...args: any[]) => unknown;
