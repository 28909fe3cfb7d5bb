import type { AnyNode, CallExpression } from 'acorn';
import { type LocatorCall, type LocatorPath, Unsayable } from './spell-locator.ts';

/** What names in a script stand for while it is read. */
export interface ScriptNames {
  /** Pages by their names in the script: `page`, `page1`. */
  readonly pages: ReadonlySet<string>;
  /** Constants that were seen: texts, numbers, locators. */
  readonly constants: ReadonlyMap<string, unknown>;
  /** Variables of the flow, spelled `{{NAME}}` where they are used. */
  readonly variables: ReadonlySet<string>;
}

/** The value of an expression as far as it is known without running it. Throws Unsayable where it is computed. */
export function knownValue(node: AnyNode | null | undefined, names: ScriptNames): unknown {
  switch (node?.type) {
    case 'Literal':
      return node.regex === undefined || node.regex === null
        ? node.value
        : new RegExp(node.regex.pattern, node.regex.flags);
    case 'TemplateLiteral':
      return node.quasis
        .map(({ value }, index) => {
          const inserted = node.expressions[index];
          return (value.cooked ?? '') + (inserted === undefined ? '' : textOf(inserted, names));
        })
        .join('');
    case 'ArrayExpression':
      return node.elements.map((element) => knownValue(element, names));
    case 'ObjectExpression':
      return Object.fromEntries(
        node.properties.map((property) => {
          if (property.type !== 'Property' || property.computed) throw new Unsayable('a computed object');
          const { key } = property;
          const name = key.type === 'Identifier' ? key.name : String(Reflect.get(key, 'value'));
          return [name, knownValue(property.value, names)];
        }),
      );
    case 'UnaryExpression': {
      const value = knownValue(node.argument, names);
      if (node.operator === '-' && typeof value === 'number') return -value;
      break;
    }
    case 'BinaryExpression':
      if (node.operator === '+') return textOf(node.left, names) + textOf(node.right, names);
      break;
    case 'AwaitExpression':
      return knownValue(node.argument, names);
    case 'Identifier':
      if (node.name === 'undefined') return undefined;
      if (names.constants.has(node.name)) return names.constants.get(node.name);
      if (names.variables.has(node.name)) return `{{${node.name}}}`;
      break;
    case 'MemberExpression': {
      const name = propertyName(node, names);
      const { object } = node;
      if (object.type === 'Identifier' && object.name === 'variables' && name !== null) return `{{${name}}}`;
      break;
    }
    case 'CallExpression': {
      const wrapped = wrappedValue(node, names);
      return wrapped === null ? locatorOf(node, names) : wrapped.value;
    }
  }
  throw new Unsayable('a value that is computed');
}

/** `String(x)` and a buffer made of a text are what is in them. */
function wrappedValue(node: CallExpression, names: ScriptNames): { value: unknown } | null {
  const { callee } = node;
  if (callee.type === 'Identifier' && callee.name === 'String')
    return { value: textOf(node.arguments[0], names) };
  const isBuffer =
    callee.type === 'MemberExpression' &&
    callee.object.type === 'Identifier' &&
    callee.object.name === 'Buffer' &&
    /^from$/.test(propertyName(callee, names) ?? '');
  return isBuffer ? { value: textOf(node.arguments[0], names) } : null;
}

function textOf(node: AnyNode | null | undefined, names: ScriptNames): string {
  const value = knownValue(node, names);
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  throw new Unsayable('a text that is computed');
}

/** The name behind the dot, or in brackets; null for a computed one. */
export function propertyName(node: AnyNode, names: ScriptNames): string | null {
  if (node.type !== 'MemberExpression') return null;
  if (!node.computed) return node.property.type === 'Identifier' ? node.property.name : null;
  const value = knownValue(node.property, names);
  return typeof value === 'string' ? value : null;
}

/** A chain that begins at a page, or at a locator that was named before. Throws Unsayable for anything else. */
export function locatorOf(node: AnyNode, names: ScriptNames): LocatorPath {
  if (node.type === 'Identifier') {
    if (names.pages.has(node.name)) return { page: node.name, calls: [] };
    const value = names.constants.get(node.name);
    if (typeof value === 'object' && value !== null && 'calls' in value) return value as LocatorPath;
    throw new Unsayable(`"${node.name}" is no page and no locator that is known here`);
  }
  if (node.type !== 'CallExpression' || node.callee.type !== 'MemberExpression') {
    throw new Unsayable('a locator that is computed');
  }
  const path = locatorOf(node.callee.object, names);
  const method = propertyName(node.callee, names);
  if (method === null) throw new Unsayable('a locator that is computed');
  const call: LocatorCall = { method, args: node.arguments.map((argument) => knownValue(argument, names)) };
  return { page: path.page, calls: [...path.calls, call] };
}
