import type { DraftStep } from '../lay-out-flow.ts';
import { elementStep } from './element-steps.ts';
import { compared } from './expectation-steps.ts';
import { Unsayable } from './spell-locator.ts';

/** The steps that a method of a page is. `page` is the field that says which one. Throws Unsayable for one that no step says. */
export function pageSteps(
  method: string,
  args: readonly unknown[],
  page: Readonly<Record<string, unknown>>,
): DraftStep[] {
  const [first, second] = args;
  const options = Object(second ?? {}) as Record<string, unknown>;
  switch (method) {
    case 'goto':
      return [{ type: 'navigate', data: { url: first, ...page, ...loading(options) } }];
    case 'reload':
      return [{ type: 'reload', data: { ...page, ...loading(Object(first)) } }];
    case 'goBack':
      return [{ type: 'back', data: { ...page, ...loading(Object(first)) } }];
    case 'goForward':
      return [{ type: 'forward', data: { ...page, ...loading(Object(first)) } }];
    case 'setViewportSize': {
      const { width, height } = Object(first) as Record<string, unknown>;
      return [{ type: 'viewport', data: { width, height, ...page } }];
    }
    case 'close':
      return [{ type: 'closePage', data: { ...page } }];
    case 'bringToFront':
      return [{ type: 'switchPage', data: { page: page['page'] ?? 'main' } }];
    case 'waitForTimeout':
      return [{ type: 'wait', data: { ms: first } }];
    case 'waitForLoadState':
      return [{ type: 'waitFor', data: { load: first ?? 'load', ...page, ...loading(options) } }];
    case 'waitForURL': {
      const { match, value } =
        typeof first === 'string' && first.includes('*')
          ? { match: 'matches', value: ofGlob(first) }
          : compared(first, 'exact');
      return [{ type: 'waitFor', data: { url: value, match, ...page, ...loading(options) } }];
    }
    case 'waitForFunction':
      if (typeof first !== 'string') throw new Unsayable('waitForFunction() of a function');
      return [{ type: 'waitFor', data: { expression: first, ...page } }];
    case 'waitForSelector': {
      const { state = 'visible', ...rest } = options;
      return [elementStep('waitFor', [{ state, ...rest }], { selector: first, ...page })];
    }
    case 'screenshot': {
      const { fullPage } = Object(first) as Record<string, unknown>;
      return [{ type: 'screenshot', data: { ...page, ...(fullPage === true ? { fullPage } : {}) } }];
    }
    case 'keyboard.press':
      return [{ type: 'press', data: { key: first === ' ' ? 'Space' : first, ...page } }];
    case 'keyboard.down':
      return [{ type: 'keyDown', data: { key: first, ...page } }];
    case 'keyboard.up':
      return [{ type: 'keyUp', data: { key: first, ...page } }];
    case 'mouse.move':
      return [{ type: 'mouse', data: { action: 'move', position: { x: first, y: second }, ...page } }];
    case 'mouse.down':
      return [{ type: 'mouse', data: { action: 'down', ...page, ...(Object(first) as object) } }];
    case 'mouse.up':
      return [{ type: 'mouse', data: { action: 'up', ...page, ...(Object(first) as object) } }];
    default:
      // The older way: page.click(selector).
      if (!ofSelector.has(method) || typeof first !== 'string')
        throw new Unsayable(`there is no step for ${method}()`);
      return [elementStep(method, args.slice(1), { selector: first, ...page })];
  }
}

const ofSelector: ReadonlySet<string> = new Set([
  'click',
  'dblclick',
  'tap',
  'hover',
  'check',
  'uncheck',
  'setChecked',
  'fill',
  'type',
  'press',
  'focus',
  'selectOption',
  'setInputFiles',
]);

function loading(options: Record<string, unknown>): Record<string, unknown> {
  const { timeout, waitUntil, referer, ...others } = options;
  const [odd] = Object.keys(others);
  if (odd !== undefined) throw new Unsayable(`the option "${odd}"`);
  return {
    ...(waitUntil === undefined ? {} : { waitUntil }),
    ...(referer === undefined ? {} : { referer }),
    ...(timeout === undefined ? {} : { timeoutMs: timeout }),
  };
}

/** A glob of Playwright as a regular expression: `**` is anything, `*` anything within a part of the path. */
function ofGlob(glob: string): string {
  const body = glob.replaceAll(/\*\*\/?|\*|[.+^${}()|[\]\\?]/g, (found) => {
    if (found === '**/') return '(?:.*/)?';
    if (found === '**') return '.*';
    if (found === '*') return '[^/]*';
    if (/[{}[\]]/.test(found)) throw new Unsayable(`the address ${glob}`);
    return `\\${found}`;
  });
  return `^${body}$`;
}
