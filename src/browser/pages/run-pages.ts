import type { BrowserContext, Page } from 'playwright-core';
import { cut, StepFailure } from '../step/step-error.ts';
import { type FrameSpot, framesInUse } from './frames-in-use.ts';

/** The pages of one run: its first one, those that sites open and those that the flow opens. It knows which of them the flow is in. */
export interface RunPages {
  /** The page the flow is in, or the one it was in when that is closed and there was none to go back to. */
  current(): Page;
  /** The page that the step at work is about, or the last step was: what a picture shows. */
  inUse(): Page;
  use(page: Page): void;
  /** The open page that `reference` names, null when none does; by its name, `main`, `current`, `latest`, its number, or its address. */
  find(reference: string): Page | null;
  /** True when `reference` is this page's own name, its number, `main` or `current`. */
  isNamed(page: Page, reference: string): boolean;
  /** Why `reference` can name no page any more, null when one may still come. */
  isOver(reference: string): string | null;
  /** Goes on in this page from now on. */
  enter(page: Page): void;
  name(page: Page, name: string): void;
  /** The open pages, in the order they were opened. */
  open(): Page[];
  /** A new page, not yet at any address. Throws StepFailure when there are too many. */
  add(): Promise<Page>;
  /** Closes a page; the flow goes on in the one it was in before. That no page is left is no end of the run. */
  close(page: Page): Promise<void>;
  /** How many were opened up to now, closed ones counted in. */
  count(): number;
  /** The page opened as number `count`, once it is there; from 0. */
  at(count: number): Page | null;
  /** Every open page, now and from now on. */
  forEach(visit: (page: Page) => void): void;
  /** Where in the page the flow is, null for the page itself. */
  spotIn(page: Page): FrameSpot | null;
  enterFrame(page: Page, spot: FrameSpot | null): void;
  /** Every open page with number, names and address, for people. */
  list(): string;
}

/** Pages besides the run's own that may be open. Source: security.md §3, a bomb of popups. */
const maxPopups = 5;

/** Keeps the pages of `context`, whose first one is `main`. `onLost` hears that the page the flow is in went away by itself, and that there is no other. */
export function runPages(
  context: BrowserContext,
  main: Page,
  onLost: (failure: StepFailure) => void,
): RunPages {
  const all: Page[] = [];
  const names = new Map<string, Page>();
  const visits: ((page: Page) => void)[] = [];
  const frames = framesInUse();
  /** Pages the flow was in, the one it is in last. */
  let trail: Page[] = [main];
  let used = main;
  const closedByFlow = new WeakSet<Page>();

  function take(page: Page): void {
    all.push(page);
    frames.watch(page);
    page.on('crash', () => {
      if (page === pages.current() || page === used) {
        onLost(new StepFailure('browser_crashed', 'the page crashed'));
      } else page.close().catch(() => {});
    });
    page.on('close', () => leave(page));
    for (const visit of visits) visit(page);
  }

  function leave(page: Page): void {
    const wasCurrent = page === pages.current();
    const before = trail.filter((each) => !each.isClosed());
    // The last one stays, closed as it is: steps that need a page then tell so.
    if (before.length > 0) trail = before;
    if (wasCurrent && !closedByFlow.has(page) && open().length === 0) {
      onLost(new StepFailure('navigation', 'the page closed itself'));
    }
  }

  const open = (): Page[] => all.filter((page) => !page.isClosed());

  const pages: RunPages = {
    current: () => trail.at(-1) ?? main,
    inUse: () => used,
    use(page) {
      used = page;
    },
    find(reference) {
      const known = knownAs(reference);
      if (known !== undefined) return known.isClosed() ? null : known;
      return reference === 'latest' ? (open().at(-1) ?? null) : at(reference);
    },
    isNamed: (page, reference) => knownAs(reference) === page,
    isOver: (reference) =>
      knownAs(reference)?.isClosed() === true ? `the page ${reference} was closed` : null,
    enter(page) {
      trail = [...trail.filter((each) => each !== page && !each.isClosed()), page];
    },
    name: (page, name) => void names.set(name, page),
    open,
    async add() {
      if (open().length > maxPopups) {
        throw new StepFailure('blocked', `a run may have ${maxPopups + 1} pages open, no more`);
      }
      return context.newPage();
    },
    async close(page) {
      closedByFlow.add(page);
      await page.close();
    },
    count: () => all.length,
    at: (count) => all[count] ?? null,
    forEach(visit) {
      visits.push(visit);
      for (const page of open()) visit(page);
    },
    spotIn: (page) => frames.spotIn(page),
    enterFrame: (page, spot) => frames.enter(page, spot),
    list: () =>
      open()
        .map((page) => {
          const given = [...names].filter(([, named]) => named === page).map(([name]) => ` "${name}"`);
          return `${all.indexOf(page)}${given.join('')} ${cut(page.url(), 200)}`;
        })
        .join(', '),
  };

  function knownAs(reference: string): Page | undefined {
    const named = names.get(reference);
    // Another page may come to an address, but a name is its page's own.
    if (named !== undefined && !(named.isClosed() && URL.canParse(reference))) return named;
    if (reference === 'main') return main;
    if (reference === 'current') return pages.current();
    return /^\d{1,4}$/.test(reference) ? all[Number(reference)] : undefined;
  }

  /** By its whole address first, then by a part of it; the newest of several. */
  function at(reference: string): Page | null {
    const newest = open().reverse();
    return (
      newest.find((page) => isSameAddress(page.url(), reference)) ??
      newest.find((page) => page.url().includes(reference)) ??
      null
    );
  }

  take(main);
  context.on('page', (page) => {
    if (page === main) return;
    if (context.pages().length > 1 + maxPopups) page.close().catch(() => {});
    else take(page);
  });
  return pages;
}

function isSameAddress(url: string, reference: string): boolean {
  return URL.canParse(reference) && new URL(reference).href === url;
}
