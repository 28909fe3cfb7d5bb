import type { AnyNode, CallExpression } from 'acorn';
import { contextStep, dialogAnswer } from './context-steps.ts';
import { elementStep } from './element-steps.ts';
import { type Expectation, expectationStep } from './expectation-steps.ts';
import { pageSteps } from './page-steps.ts';
import type { ScriptState } from './script-state.ts';
import { knownValue, locatorOf, propertyName } from './script-values.ts';
import { Unsayable } from './spell-locator.ts';
import { expectationIn, scriptOf } from './take-apart.ts';

/** Reads a call that stands alone: something is done in a page, or expected of it. Throws Unsayable for one that no step does. */
export function readCall(node: CallExpression, state: ScriptState): void {
  const { names, pages, downloads } = state;
  const { callee } = node;
  if (callee.type !== 'MemberExpression') throw new Unsayable('there is no step for it');
  const method = propertyName(callee, names) ?? '';
  const { object } = callee;
  if (object.type === 'Identifier') {
    if (object.name === 'console') {
      readLog(node, state);
      return;
    }
    if (['browser', 'context'].includes(object.name) && !pages.has(object.name)) {
      readContext(object.name, method, node, state);
      return;
    }
    if (downloads.has(object.name)) {
      readDownload(method, node, state);
      return;
    }
    if (pages.has(object.name)) {
      readPageCall(object.name, method, node, state);
      return;
    }
  }
  const expectation = expectationIn(node, names);
  if (expectation !== null) {
    readExpectation(expectation, node, state);
    return;
  }
  if (
    object.type === 'MemberExpression' &&
    object.object.type === 'Identifier' &&
    pages.has(object.object.name)
  ) {
    const device = propertyName(object, names) ?? '';
    readPageCall(object.object.name, `${device}.${method}`, node, state);
    return;
  }
  if (object.type === 'CallExpression' && propertyName(object.callee, names) === 'context') {
    readContext('context', method, node, state);
    return;
  }
  const place = state.placeOf(locatorOf(object, names));
  state.add(
    node,
    elementStep(
      method,
      node.arguments.map((argument) => knownValue(argument, names)),
      place,
    ),
  );
}

function readPageCall(page: string, method: string, node: CallExpression, state: ScriptState): void {
  const { names, text } = state;
  if (method === 'once' || method === 'on') {
    readListener(method, node, state);
    return;
  }
  if (method === 'evaluate') {
    state.add(node, {
      type: 'evaluate',
      data: { script: scriptOf(node, names, text), ...state.pageField(page) },
    });
    return;
  }
  const args = node.arguments.map((argument) => knownValue(argument, names));
  if (method === 'goto' && typeof args[0] === 'string') args[0] = resolved(args[0], state);
  for (const step of pageSteps(method, args, state.pageField(page))) state.add(node, step);
}

function resolved(url: string, { baseUrl }: ScriptState): string {
  return typeof baseUrl === 'string' && URL.canParse(url, baseUrl) && !url.includes('{{')
    ? new URL(url, baseUrl).href
    : url;
}

function readLog(node: CallExpression, { names, list, at }: ScriptState): void {
  const words = node.arguments.map((argument) => String(knownValue(argument, names)));
  list.add(at(node), { type: 'log', data: { message: words.join(' ') } });
}

function readContext(owner: string, method: string, node: CallExpression, { names, add }: ScriptState): void {
  const args = node.arguments.map((argument) => knownValue(argument, names));
  if (method !== 'close') add(node, contextStep(owner, method, args));
}

function readListener(method: string, node: CallExpression, { text, armDialog }: ScriptState): void {
  const [event, handler] = node.arguments;
  const isDialog = event?.type === 'Literal' && event.value === 'dialog';
  if (!isDialog || method !== 'once' || handler === undefined) throw new Unsayable('a listener');
  armDialog(node, dialogAnswer(text.slice(handler.start, handler.end)));
}

function readDownload(method: string, node: CallExpression, { names, list }: ScriptState): void {
  if (method !== 'saveAs') throw new Unsayable(`there is no step for download.${method}()`);
  list.amend(['download'], { save: knownValue(node.arguments[0], names) });
}

function readExpectation(
  { subject, expectation }: { subject: AnyNode; expectation: Expectation },
  node: AnyNode,
  state: ScriptState,
): void {
  const { names, list } = state;
  if (isDownloadName(subject, state)) {
    if (expectation.matcher !== 'toBe' || expectation.isNegated)
      throw new Unsayable('an expectation of a download');
    list.amend(['download'], { fileName: expectation.args[0], match: 'exact' });
    return;
  }
  const path = locatorOf(subject, names);
  const place = path.calls.length === 0 ? state.pageField(path.page) : state.placeOf(path);
  state.add(node, expectationStep(expectation, place));
}

function isDownloadName(node: AnyNode, { names, downloads }: ScriptState): boolean {
  return (
    node.type === 'CallExpression' &&
    node.callee.type === 'MemberExpression' &&
    node.callee.object.type === 'Identifier' &&
    downloads.has(node.callee.object.name) &&
    propertyName(node.callee, names) === 'suggestedFilename'
  );
}
