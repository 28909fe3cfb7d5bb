import type { NodeType } from '../../flow/node-types/node-types.ts';
import type { Step } from '../../flow/step.ts';
import { isTrue, objectCode, textCode, Unwritable, valueCode, variableCode } from './code.ts';
import { locatorCode } from './locator-code.ts';
import { conditionCode, expectedCode } from './question-code.ts';
import { stepCode } from './step-code.ts';
import { watchedStep } from './watched-step.ts';

/** Code of a flow's steps, and all that could not be said. */
export interface BlockCode {
  /** The settings of the browser that the first step says, as an object for `test.use`; empty for none. */
  readonly settings: string;
  readonly lines: readonly string[];
  /** Functions for subflows, by their names. */
  readonly functions: ReadonlyMap<string, readonly string[]>;
  readonly refusals: readonly string[];
}

/** Writes steps one after the other, blocks within them indented. */
export function blockCode(block: readonly Step[]): BlockCode {
  const refusals: string[] = [];
  const functions = new Map<string, readonly string[]>();
  /** Pages by the names that the flow gives them -> what the test calls them. */
  const pages = new Map([['main', 'page']]);
  let current = 'main';
  let downloads = 0;
  let loops = 0;

  function pageCode(name: unknown): string {
    const wanted = name === undefined ? current : String(name);
    const code = pages.get(wanted);
    if (code === undefined) throw new Unwritable(`the page "${wanted}", which no step before has named`);
    return code;
  }

  function namedPage(name: unknown): string {
    const base = String(name).replaceAll(/\W/g, '_');
    const taken = new Set(pages.values());
    const code = /^[A-Za-z_]/.test(base) && !taken.has(base) ? base : `page${pages.size}`;
    pages.set(String(name), code);
    return code;
  }

  /** What is written of a step; what cannot be said of it becomes a refusal that names it. */
  function attempt<Code>(given: Step, write: (step: Step) => Code): Code | null {
    const { step, ensureAllRead } = watchedStep(given);
    try {
      const code = write(step);
      ensureAllRead();
      return code;
    } catch (error) {
      if (!(error instanceof Unwritable)) throw error;
      refusals.push(`node "${given.nodeId}" (${given.type}): ${error.message}`);
      return null;
    }
  }

  function linesOf(steps: readonly Step[], isTop: boolean): string[] {
    return steps.flatMap((given, index) => {
      if (isBroughtAbout(given)) {
        const bringer = steps.slice(0, index).findLast((step) => !isBroughtAbout(step));
        if (bringer === undefined) attempt(given, refuseFirst);
        return [];
      }
      return attempt(given, (step) => withFollowers(step, followersOf(steps, index), isTop)) ?? [];
    });
  }

  /** A dialog and a download are armed before the step that brings them about, a popup is waited for around it. */
  function withFollowers(step: Step, followers: readonly Step[], isTop: boolean): string[] {
    const { fields } = step;
    const before: string[] = [];
    const after: string[] = [];
    const page =
      step.type === 'openPage' ? '' : pageCode(step.type === 'switchPage' ? undefined : fields['page']);
    followers.forEach((follower, at) => {
      attempt(follower, ({ type, fields: asked }) => {
        if (page === '') throw new Unwritable('it would have to be waited for before its page is there');
        if (followers.slice(0, at).some((other) => other.type === type))
          throw new Unwritable(`it is the second ${type} of one step`);
        if (type === 'dialog') {
          before.push(dialogCode(page, asked));
          return;
        }
        const name = `download${downloads === 0 ? '' : downloads}`;
        downloads += 1;
        before.push(`const ${name}Promise = ${page}.waitForEvent('download');`);
        after.push(`const ${name} = await ${name}Promise;`, ...downloadCode(name, asked));
      });
    });
    if (fields['opens'] !== undefined) {
      const name = namedPage(fields['opens']);
      before.push(`const ${name}Promise = ${page}.waitForEvent('popup');`);
      after.unshift(`const ${name} = await ${name}Promise;`);
    }
    return [...before, ...ownLines(step, page, isTop), ...after];
  }

  function ownLines({ type, fields, blocks = {} }: Step, page: string, isTop: boolean): string[] {
    if (fields['retries'] !== undefined && fields['retries'] !== 0)
      throw new Unwritable('retries of one step');
    const frame = (): readonly unknown[] | undefined => fields['frame'] as readonly unknown[] | undefined;
    const element = (): string => locatorCode(page, fields, frame());
    switch (type) {
      case 'if': {
        const yes = linesOf(blocks['true'] ?? [], false);
        const no = linesOf(blocks['false'] ?? [], false);
        const otherwise = no.length === 0 ? [] : ['} else {', ...indented(no)];
        return [`if (${conditionCode(fields, page, element)}) {`, ...indented(yes), ...otherwise, '}'];
      }
      case 'loop':
        return loopLines(
          fields,
          linesOf(blocks['body'] ?? [], false),
          conditionCodeOf(fields, page, element),
        );
      case 'subflow': {
        const name = functionName(String(fields['subflow']));
        if (!functions.has(name)) {
          functions.set(name, []);
          functions.set(name, linesOf(blocks['body'] ?? [], false));
        }
        const given = Object.entries(Object(fields['variables']) as object);
        return [
          ...given.map(([key, value]) => `${variableCode(key)} = ${textCode(value)};`),
          `await ${name}();`,
        ];
      }
      case 'openPage': {
        const name = namedPage(fields['name'] ?? `page${pages.size}`);
        current = String(fields['name'] ?? name);
        const goto = fields['url'] === undefined ? [] : [`await ${name}.goto(${textCode(fields['url'])});`];
        return [`const ${name} = await page.context().newPage();`, ...goto];
      }
      case 'switchPage':
        if (!isTop) throw new Unwritable('another page within a decision, a loop or a subflow');
        pageCode(fields['page']);
        current = String(fields['page']);
        return [];
      case 'closePage':
        if (pageCode(undefined) === page) current = 'main';
        return stepCode({ type, fields, page, element, destination: element });
      default: {
        const destination = (): string =>
          locatorCode(
            page,
            { selector: fields['toSelector'] as string, selectors: fields['toSelectors'] as string[] },
            frame(),
          );
        return stepCode({ type: type as NodeType, fields, page, element, destination });
      }
    }
  }

  function loopLines(fields: Step['fields'], body: string[], condition: () => string): string[] {
    loops += 1;
    const counter = `round${loops === 1 ? '' : loops}`;
    const as = fields['as'] === undefined ? null : variableCode(String(fields['as']));
    if (as !== null && ['while', 'doWhile'].includes(String(fields['kind'])))
      throw new Unwritable('the count of rounds of such a loop');
    switch (fields['kind']) {
      case 'times': {
        const count = as === null ? [] : [`${as} = String(${counter});`];
        const times = String(fields['times']).includes('{{')
          ? `Number(${textCode(fields['times'])})`
          : String(fields['times']);
        return [
          `for (let ${counter} = 0; ${counter} < ${times}; ${counter} += 1) {`,
          ...indented([...count, ...body]),
          '}',
        ];
      }
      case 'forEach': {
        const items = Array.isArray(fields['items'])
          ? valueCode(fields['items'])
          : `JSON.parse(${textCode(fields['items'])})`;
        const item = as === null ? [] : [`${as} = String(item${loops});`];
        return [`for (const item${loops} of ${items}) {`, ...indented([...item, ...body]), '}'];
      }
      case 'while':
        return [`while (${condition()}) {`, ...indented(body), '}'];
      default:
        return ['do {', ...indented(body), `} while (${condition()});`];
    }
  }

  const [first, ...others] = block;
  const settings = first?.type === 'viewport' ? (attempt(first, settingsCode) ?? '') : '';
  const lines = linesOf(first?.type === 'viewport' ? others : block, true);
  return { settings, lines, functions, refusals };
}

/** True for what a step before brings about. */
function isBroughtAbout({ type }: Step): boolean {
  return type === 'dialog' || type === 'download';
}

function followersOf(steps: readonly Step[], index: number): readonly Step[] {
  const behind = steps.slice(index + 1);
  const end = behind.findIndex((step) => !isBroughtAbout(step));
  return end === -1 ? behind : behind.slice(0, end);
}

function refuseFirst(): never {
  throw new Unwritable('no step stands before it that could bring it about');
}

function conditionCodeOf(fields: Step['fields'], page: string, element: () => string): () => string {
  return () => conditionCode(fields, page, element);
}

function dialogCode(page: string, fields: Step['fields']): string {
  // A listener misses no dialog, so that one that is required is no other than one that is not.
  const { action, text, required: _required } = fields;
  const answer = action === 'dismiss' ? 'dismiss()' : `accept(${text === undefined ? '' : textCode(text)})`;
  return `${page}.once('dialog', (dialog) => dialog.${answer});`;
}

function downloadCode(name: string, fields: Step['fields']): string[] {
  const { save, fileName, match = 'exact', variable } = fields;
  const expected = expectedCode(match, fileName);
  return [
    ...(save === undefined ? [] : [`await ${name}.saveAs(${textCode(save)});`]),
    ...(fileName === undefined
      ? []
      : [`expect(${name}.suggestedFilename()).${match === 'exact' ? 'toBe' : 'toMatch'}(${expected});`]),
    ...(variable === undefined ? [] : [`${variableCode(String(variable))} = ${name}.suggestedFilename();`]),
  ];
}

/** A name that JavaScript takes. */
function functionName(subflow: string): string {
  const words = subflow.split(/[^A-Za-z0-9]+/).filter((word) => word !== '');
  const camel = words.map((word, index) =>
    index === 0 ? word.toLowerCase() : word[0]?.toUpperCase() + word.slice(1),
  );
  return `run${camel.map((word) => word[0]?.toUpperCase() + word.slice(1)).join('')}`;
}

/** Lines one level further in. */
export function indented(lines: readonly string[]): string[] {
  return lines.flatMap((line) => line.split('\n')).map((line) => (line === '' ? '' : `  ${line}`));
}

function settingsCode({ fields }: Step): string {
  const { width, height, deviceScaleFactor, isMobile, hasTouch, isLandscape } = fields;
  // Only mobile layout has an orientation, and Playwright takes that of the window.
  const isWide = Number(width) > Number(height);
  if (isTrue(isMobile) && isLandscape !== undefined && isTrue(isLandscape) !== isWide)
    throw new Unwritable('an orientation other than that of the window');
  return objectCode({ viewport: { width, height }, deviceScaleFactor, isMobile, hasTouch });
}
