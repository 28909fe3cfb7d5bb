import { UsageError } from '../../lib/errors.ts';
import type { RecordedAt } from '../collect-steps.ts';
import type { Recording } from '../imported.ts';
import { elementStep } from './element-steps.ts';
import { expectationStep } from './expectation-steps.ts';
import { type LocatorCall, spellLocator, Unsayable } from './spell-locator.ts';
import { listSteps, type StepList } from './step-list.ts';

/** The lines of codegen's JSONL as objects; null for another text. */
export function jsonlLines(text: string): Record<string, unknown>[] | null {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  try {
    const objects = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    const isCodegen = objects.some((line) => typeof line?.['name'] === 'string' && 'pageGuid' in line);
    return isCodegen ? objects : null;
  } catch {
    return null;
  }
}

/** Reads what codegen writes as JSONL: a line of options, then a line for each action. */
export function readPlaywrightJsonl(lines: readonly Record<string, unknown>[], path: string): Recording {
  const list = listSteps();
  const problems: string[] = [];
  const pages = new Map<string, string>();
  lines.forEach((line, index) => {
    const at = { where: `line ${index + 1}`, what: String(line['name']) };
    if (typeof line['name'] !== 'string') {
      if (index > 0) problems.push(`line ${index + 1}: name: is missing`);
      else keepContext(line, list, at);
      return;
    }
    try {
      keepAction(line, pages, list, at);
    } catch (error) {
      if (!(error instanceof Unsayable)) throw error;
      list.refuse(at, error.message);
    }
  });
  if (problems.length > 0) throw new UsageError(`${path} is no recording of Playwright`, { problems });
  return { format: 'playwright', flows: [list.finish('Recording')] };
}

function keepContext(header: Record<string, unknown>, list: StepList, at: RecordedAt): void {
  const options = Object(header['contextOptions']) as Record<string, unknown>;
  const { width, height } = Object(options['viewport']) as Record<string, unknown>;
  if (width !== undefined)
    list.add({ ...at, what: 'viewport' }, { type: 'viewport', data: { width, height } });
}

function keepAction(
  line: Record<string, unknown>,
  pages: Map<string, string>,
  list: StepList,
  at: RecordedAt,
): void {
  const guid = String(line['pageGuid']);
  const isNew = !pages.has(guid);
  const alias = pages.get(guid) ?? `page${pages.size === 0 ? '' : pages.size}`;
  pages.set(guid, alias);
  const page = alias === 'page' ? {} : { page: alias };
  const signals = (Array.isArray(line['signals']) ? line['signals'] : []) as Record<string, unknown>[];
  const signal = (name: string) => signals.find((one) => one['name'] === name);
  const { name, url } = line;

  if (name === 'openPage') {
    const opened = typeof url === 'string' && /^https?:/.test(url) ? { url } : {};
    // A popup was named by the step that opened it.
    if (isNew && pages.size > 1) list.add(at, { type: 'openPage', data: { ...opened, name: alias } });
    else if (isNew && 'url' in opened) list.add(at, { type: 'navigate', data: { ...opened, ...page } });
    return;
  }
  if (name === 'closePage') {
    list.add(at, { type: 'closePage', data: page });
    return;
  }
  if (name === 'navigate') {
    list.add(at, { type: 'navigate', data: { url, ...page } });
    return;
  }

  const popup = signal('popup');
  const opens: { opens?: string } = {};
  if (popup !== undefined) {
    opens.opens = `page${pages.size}`;
    pages.set(String(popup['popupPageGuid'] ?? popup['popupAlias']), opens.opens);
  }
  const place = { ...spellLocator({ page: alias, calls: callsOf(line['locator']) }), ...page };
  const { type, data } = actionStep(line, place);
  list.add(at, { type, data: { ...data, ...opens } });
  if (signal('dialog') !== undefined) {
    list.add({ ...at, what: 'dialog' }, { type: 'dialog', data: { action: 'dismiss', required: false } });
  }
  if (signal('download') !== undefined) list.add({ ...at, what: 'download' }, { type: 'download', data: {} });
}

function actionStep(line: Record<string, unknown>, place: Record<string, unknown>) {
  const expected = (matcher: string, args: unknown[], isNegated = false) =>
    expectationStep({ matcher, args, isNegated, isSoft: false }, place);
  switch (line['name']) {
    case 'click': {
      const count = line['clickCount'];
      const button = line['button'] === 'left' ? undefined : line['button'];
      const modifiers = modifiersOf(line['modifiers']);
      const options = {
        ...(button === undefined ? {} : { button }),
        ...(typeof count === 'number' && count > 1 ? { clickCount: count } : {}),
        ...(modifiers.length === 0 ? {} : { modifiers }),
        ...(line['position'] === undefined ? {} : { position: line['position'] }),
      };
      return elementStep('click', [options], place);
    }
    case 'hover':
      return elementStep(
        'hover',
        [line['position'] === undefined ? {} : { position: line['position'] }],
        place,
      );
    case 'check':
    case 'uncheck':
      return elementStep(String(line['name']), [], place);
    case 'fill':
      return elementStep('fill', [line['text']], place);
    case 'press':
      return elementStep('press', [[...modifiersOf(line['modifiers']), line['key']].join('+')], place);
    case 'select': {
      const options = line['options'] as unknown[];
      return elementStep('selectOption', [options?.length === 1 ? options[0] : options], place);
    }
    case 'setInputFiles':
      return elementStep('setInputFiles', [line['files']], place);
    case 'assertText':
      return expected(line['substring'] === true ? 'toContainText' : 'toHaveText', [line['text']]);
    case 'assertValue':
      return expected('toHaveValue', [line['value']]);
    case 'assertChecked':
      return expected('toBeChecked', [], line['checked'] !== true);
    case 'assertVisible':
      return expected('toBeVisible', []);
    default:
      throw new Unsayable('there is no step for it');
  }
}

/** As bits: Alt, Control, Meta, Shift. */
function modifiersOf(bits: unknown): string[] {
  const mask = typeof bits === 'number' ? bits : 0;
  const names = ['Alt', 'ControlOrMeta', 'ControlOrMeta', 'Shift'].filter(
    (_name, bit) => (mask & (1 << bit)) !== 0,
  );
  return [...new Set(names)];
}

/** How codegen calls the parts of a locator -> the calls of a script. */
const methods: Readonly<Record<string, string>> = {
  default: 'locator',
  role: 'getByRole',
  text: 'getByText',
  label: 'getByLabel',
  placeholder: 'getByPlaceholder',
  alt: 'getByAltText',
  title: 'getByTitle',
  'test-id': 'getByTestId',
  nth: 'nth',
  first: 'first',
  last: 'last',
  'frame-locator': 'frameLocator',
  frame: 'contentFrame',
};

function callsOf(locator: unknown): LocatorCall[] {
  const calls: LocatorCall[] = [];
  for (let part = locator; typeof part === 'object' && part !== null; part = Reflect.get(part, 'next')) {
    const { kind, body, options } = part as Record<string, unknown>;
    const { attrs, ...given } = Object(options) as Record<string, unknown>;
    const attributes = Array.isArray(attrs)
      ? Object.fromEntries(
          attrs.map((one: unknown) => [Reflect.get(Object(one), 'name'), Reflect.get(Object(one), 'value')]),
        )
      : {};
    const method = methods[String(kind)];
    if (kind === 'has-text') calls.push({ method: 'filter', args: [{ hasText: body }] });
    else if (kind === 'has-not-text') calls.push({ method: 'filter', args: [{ hasNotText: body }] });
    else if (kind === 'visible' || kind === 'filter-visible') {
      calls.push({ method: 'filter', args: [{ visible: body !== 'false' }] });
    } else if (method === undefined) throw new Unsayable(`a locator of the kind "${String(kind)}"`);
    else calls.push({ method, args: [kind === 'nth' ? Number(body) : body, { ...given, ...attributes }] });
  }
  return calls;
}
