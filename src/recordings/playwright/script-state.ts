import type { AnyNode } from 'acorn';
import type { RecordedAt } from '../collect-steps.ts';
import type { ScriptNames } from './script-values.ts';
import { type LocatorPath, spellLocator } from './spell-locator.ts';
import { listSteps, type StepList } from './step-list.ts';

/** Options of the browser context that hold for a whole script, by Playwright's names. */
export type ScriptOptions = Readonly<Record<string, unknown>>;

/** What is known of a script up to the statement that is read, and the flow it has become so far. */
export interface ScriptState {
  /** The whole script, to quote from. */
  readonly text: string;
  readonly list: StepList;
  readonly names: ScriptNames;
  readonly pages: Set<string>;
  readonly constants: Map<string, unknown>;
  readonly variables: Set<string>;
  /** `page1Promise` -> what it waits for. */
  readonly awaited: Map<string, 'popup' | 'download'>;
  readonly downloads: Set<string>;
  /** Where addresses begin that are written without a host; undefined where the script does not say. */
  readonly baseUrl: unknown;
  at(node: AnyNode): RecordedAt;
  /** Adds a step, and behind it the dialog that was armed before. */
  add(node: AnyNode, step: Parameters<StepList['add']>[1]): void;
  /** Keeps a dialog's answer until the step that opens it is added. */
  armDialog(node: AnyNode, data: Record<string, unknown>): void;
  /** Takes settings of the browser: those that a flow has become a step, the others are refused by name. */
  useOptions(given: ScriptOptions, at: RecordedAt): void;
  /** A page that the script opens itself; the first one is where the flow begins. */
  openPage(node: AnyNode, name: string): void;
  /** The field for a page, which the one that the flow begins in does not need. */
  pageField(page: string): { page?: string };
  /** The fields for an element. Throws Unsayable for a locator that a flow has no selector for. */
  placeOf(path: LocatorPath): Record<string, unknown>;
}

/** A script of which nothing is read yet. */
export function newScriptState(text: string, options: ScriptOptions): ScriptState {
  const list = listSteps();
  const pages = new Set<string>();
  const constants = new Map<string, unknown>();
  const variables = new Set<string>();
  let dialog: { at: RecordedAt; data: Record<string, unknown> } | null = null;
  let mainPage = 'page';

  function useOptions(given: ScriptOptions, at: RecordedAt): void {
    const { viewport, deviceScaleFactor, isMobile, hasTouch, baseURL: _baseUrl, ...others } = given;
    const { width, height } = Object(viewport) as Record<string, unknown>;
    if (width !== undefined) {
      const more = Object.entries({ deviceScaleFactor, isMobile, hasTouch }).filter(
        ([, value]) => value !== undefined,
      );
      list.add(at, { type: 'viewport', data: { width, height, ...Object.fromEntries(more) } });
    }
    for (const name of Object.keys(others)) {
      list.refuse(
        { ...at, what: name === '...' ? 'a device' : name },
        'it is a setting of the browser that a flow does not have',
      );
    }
  }

  function at(node: AnyNode): RecordedAt {
    const quote = text.slice(node.start, node.end).replace(/\s+/g, ' ');
    return {
      where: `line ${node.loc?.start.line ?? 0}`,
      what: quote.length > 120 ? `${quote.slice(0, 119)}…` : quote,
    };
  }

  function pageField(page: string): { page?: string } {
    return page === mainPage ? {} : { page };
  }

  function placeOf(path: LocatorPath): Record<string, unknown> {
    const { selector, frame } = spellLocator(path);
    return { selector, ...(frame === undefined ? {} : { frame }), ...pageField(path.page) };
  }

  const state: ScriptState = {
    text,
    list,
    names: { pages, constants, variables },
    pages,
    constants,
    variables,
    awaited: new Map(),
    downloads: new Set(),
    baseUrl: options['baseURL'],
    at,
    add(node, step) {
      list.add(at(node), step);
      if (dialog !== null) list.add(dialog.at, { type: 'dialog', data: dialog.data });
      dialog = null;
    },
    armDialog(node, data) {
      dialog = { at: at(node), data };
    },
    useOptions,
    openPage(node, name) {
      const isFirst = pages.size === 0;
      pages.add(name);
      if (isFirst) mainPage = name;
      else list.add(at(node), { type: 'openPage', data: { name } });
    },
    pageField,
    placeOf,
  };
  useOptions(options, { where: 'test.use', what: 'options' });
  return state;
}
