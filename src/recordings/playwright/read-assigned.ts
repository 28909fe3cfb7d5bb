import type { AnyNode, CallExpression, Expression, VariableDeclarator } from 'acorn';
import type { ScriptOptions, ScriptState } from './script-state.ts';
import { knownValue, locatorOf, propertyName } from './script-values.ts';
import { Unsayable } from './spell-locator.ts';
import { readingIn, scriptOf, subjectsRead } from './take-apart.ts';

/** Reads `const name = …`: a constant, something that is waited for, or what a step gives. Throws Unsayable for what is computed. */
export function readDeclarator({ id, init }: VariableDeclarator, state: ScriptState): void {
  const { names, list, variables, awaited, constants } = state;
  if (init === null || init === undefined || id.type !== 'Identifier') {
    if (
      init?.type === 'CallExpression' &&
      init.callee.type === 'Identifier' &&
      init.callee.name === 'require'
    )
      return;
    throw new Unsayable('a declaration that takes something apart');
  }
  if (init.type === 'AwaitExpression') {
    readAwaited(id.name, init.argument, state);
    return;
  }
  if (id.name === 'variables' && init.type === 'ObjectExpression') {
    for (const property of init.properties) {
      if (property.type !== 'Property') throw new Unsayable('computed variables');
      const name =
        property.key.type === 'Identifier' ? property.key.name : String(Reflect.get(property.key, 'value'));
      const value = property.value.type === 'LogicalExpression' ? property.value.right : property.value;
      list.declare(name, String(knownValue(value, names)));
      variables.add(name);
    }
    return;
  }
  const waits = waitedEvent(init, state);
  if (waits !== null) awaited.set(id.name, waits);
  else constants.set(id.name, knownValue(init, names));
}

/** What stands behind `=` and `await`. */
function readAwaited(name: string, node: Expression, state: ScriptState): void {
  const { names, list, variables, awaited, downloads, at } = state;
  if (node.type === 'Identifier') {
    const event = awaited.get(node.name);
    if (event === 'popup') {
      openPopup(name, state);
      return;
    }
    if (event === 'download') {
      downloads.add(name);
      list.add(at(node), { type: 'download', data: {} });
      return;
    }
  }
  if (node.type === 'CallExpression' && node.callee.type === 'MemberExpression') {
    const method = propertyName(node.callee, names);
    if (method === 'launch') return;
    if (method === 'newContext') {
      const given = node.arguments[0] === undefined ? {} : knownValue(node.arguments[0], names);
      state.useOptions(Object(given) as ScriptOptions, at(node));
      return;
    }
    if (method === 'newPage') {
      state.openPage(node, name);
      return;
    }
    variables.add(name);
    readExtract(name, node, state);
    return;
  }
  throw new Unsayable('there is no step for it');
}

function openPopup(name: string, { pages, list }: ScriptState): void {
  pages.add(name);
  if (!list.amend(['click', 'press', 'submit'], { opens: name }))
    throw new Unsayable('a page that no step opens');
}

/** Reads `variables.name = …`. Throws Unsayable for every other assignment. */
export function readAssignment(left: AnyNode, right: Expression, state: ScriptState): void {
  const { names, list, variables, at } = state;
  const name = left.type === 'MemberExpression' ? propertyName(left, names) : null;
  const isVariable =
    left.type === 'MemberExpression' && left.object.type === 'Identifier' && left.object.name === 'variables';
  if (name === null || !isVariable) throw new Unsayable('an assignment');
  variables.add(name);
  const node = readingIn(right, names);
  if (node !== null) {
    readExtract(name, node, state);
    return;
  }
  const value = knownValue(right, names);
  if (typeof value !== 'string') throw new Unsayable('a variable that is no text');
  list.add(at(right), { type: 'setVariable', data: { variable: name, value } });
}

function readExtract(variable: string, node: CallExpression, state: ScriptState): void {
  const { names, pages, text, add, pageField, placeOf } = state;
  const call = readingIn(node, names);
  if (call?.callee.type !== 'MemberExpression') throw new Unsayable('a computed value');
  const method = propertyName(call.callee, names) ?? '';
  const { object } = call.callee;
  if (object.type === 'Identifier' && pages.has(object.name)) {
    if (method === 'title' || method === 'url') {
      add(node, { type: 'extract', data: { subject: method, variable, ...pageField(object.name) } });
      return;
    }
    if (method === 'evaluate') {
      add(node, {
        type: 'evaluate',
        data: { script: scriptOf(call, names, text), variable, ...pageField(object.name) },
      });
      return;
    }
  }
  const subject = subjectsRead[method];
  if (subject === undefined) throw new Unsayable(`nothing is read by ${method}()`);
  const [attribute] = call.arguments;
  const named = subject === 'attribute' ? { attribute: knownValue(attribute, names) } : {};
  add(node, {
    type: 'extract',
    data: { ...placeOf(locatorOf(object, names)), subject, ...named, variable },
  });
}

function waitedEvent(node: Expression, { names }: ScriptState): 'popup' | 'download' | null {
  if (node.type !== 'CallExpression' || node.callee.type !== 'MemberExpression') return null;
  if (propertyName(node.callee, names) !== 'waitForEvent') return null;
  const [event] = node.arguments;
  const name = event?.type === 'Literal' ? event.value : null;
  if (name === 'popup' || name === 'download') return name;
  throw new Unsayable('an event that no step waits for');
}
