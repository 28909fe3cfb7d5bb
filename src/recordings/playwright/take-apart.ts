import type { AnyNode, CallExpression } from 'acorn';
import type { Expectation } from './expectation-steps.ts';
import { knownValue, propertyName, type ScriptNames } from './script-values.ts';
import { Unsayable } from './spell-locator.ts';

/** `expect(x).not.toBe(…)`, `expect.soft(x)`. Null for something else. */
export function expectationIn(
  node: CallExpression,
  names: ScriptNames,
): { subject: AnyNode; expectation: Expectation } | null {
  if (node.callee.type !== 'MemberExpression') return null;
  const matcher = propertyName(node.callee, names) ?? '';
  let { object } = node.callee;
  let isNegated = false;
  if (object.type === 'MemberExpression' && propertyName(object, names) === 'not') {
    isNegated = true;
    object = object.object;
  }
  if (object.type !== 'CallExpression') return null;
  const { callee } = object;
  const isSoft = callee.type === 'MemberExpression' && propertyName(callee, names) === 'soft';
  const expect = callee.type === 'MemberExpression' ? callee.object : callee;
  if (expect.type !== 'Identifier' || expect.name !== 'expect') return null;
  if (callee.type === 'MemberExpression' && !isSoft) throw new Unsayable('this kind of expect');
  const [subject] = object.arguments;
  if (subject === undefined) return null;
  const args = node.arguments.map((argument) => knownValue(argument, names));
  return { subject, expectation: { matcher, args, isNegated, isSoft } };
}

/** The function that is evaluated, as the body of one; a text is an expression. */
export function scriptOf(call: CallExpression, names: ScriptNames, text: string): string {
  const [given, argument] = call.arguments;
  const isOwn = argument?.type === 'Identifier' && argument.name === 'variables';
  if (argument !== undefined && !isOwn) throw new Unsayable('a script that is given values');
  if (given?.type === 'ArrowFunctionExpression' || given?.type === 'FunctionExpression') {
    const source = text.slice(given.body.start, given.body.end);
    return given.body.type === 'BlockStatement' ? source.slice(1, -1).trim() : `return (${source});`;
  }
  return `return (${String(knownValue(given, names))});`;
}

/** The call that reads something of a page, out of `String(await …)` and `(await …) ?? ''`. Null for a value that is no reading. */
export function readingIn(node: AnyNode, names: ScriptNames): CallExpression | null {
  if (node.type === 'AwaitExpression') return readingIn(node.argument, names);
  if (node.type === 'LogicalExpression') return readingIn(node.left, names);
  if (node.type !== 'CallExpression') return null;
  const [inner] = node.arguments;
  const isText = node.callee.type === 'Identifier' && node.callee.name === 'String';
  if (isText) return inner === undefined ? null : readingIn(inner, names);
  const method = propertyName(node.callee, names);
  const isReading =
    method !== null && (Object.hasOwn(subjectsRead, method) || /^(title|url|evaluate)$/.test(method));
  return isReading ? node : null;
}

/** What the methods of a locator read. */
export const subjectsRead: Readonly<Record<string, string>> = {
  textContent: 'text',
  innerText: 'text',
  inputValue: 'value',
  getAttribute: 'attribute',
  count: 'count',
  isVisible: 'visible',
  isEnabled: 'enabled',
  isChecked: 'checked',
  isEditable: 'editable',
};
