import { type AnyNode, type CallExpression, type Expression, parse, type Statement } from 'acorn';
import { errorText, UsageError } from '../../lib/errors.ts';
import type { ImportedFlow, Recording } from '../imported.ts';
import { createStatementReader } from './read-statements.ts';
import type { ScriptOptions } from './script-state.ts';
import { knownValue } from './script-values.ts';

/** True for a script that drives Playwright, as codegen writes it. */
export function isPlaywrightScript(text: string): boolean {
  return /['"](@playwright\/test|playwright(-core)?(\/test)?)['"]/.test(text);
}

/** Reads a test file or script of Playwright's codegen, each test as a flow. Throws UsageError for one that is no JavaScript, or holds no test. */
export function readPlaywrightScript(text: string, path: string): Recording {
  const program = parsed(text, path);
  const context: Context = { beforeEach: [], options: {}, shared: [] };
  const flows = flowsIn(program.body as Statement[], context, text);
  if (flows.length === 0) {
    throw new UsageError(`${path} holds no test of Playwright`, {
      hint: "A test is test('name', async ({ page }) => { … }), a script is (async () => { … })().",
    });
  }
  return { format: 'playwright', flows };
}

function parsed(text: string, path: string) {
  try {
    return parse(text, {
      ecmaVersion: 'latest',
      sourceType: 'module',
      locations: true,
      allowHashBang: true,
      allowAwaitOutsideFunction: true,
      allowReturnOutsideFunction: true,
    });
  } catch (error) {
    throw new UsageError(`${path} is no JavaScript that can be read: ${errorText(error)}`, {
      hint: 'Types of TypeScript are not read; codegen writes none.',
    });
  }
}

/** What stands around tests and holds for each of them. */
interface Context {
  beforeEach: readonly Expression[];
  options: ScriptOptions;
  /** Statements at the top of the file: constants and functions. */
  shared: readonly Statement[];
}

function flowsIn(statements: readonly Statement[], around: Context, text: string): ImportedFlow[] {
  const flows: ImportedFlow[] = [];
  let context: Context = {
    ...around,
    shared: [...around.shared, ...statements.filter(({ type }) => type.endsWith('Declaration'))],
  };
  for (const statement of statements) {
    if (statement.type !== 'ExpressionStatement') continue;
    const call =
      statement.expression.type === 'AwaitExpression' ? statement.expression.argument : statement.expression;
    if (call.type !== 'CallExpression') continue;
    const body = call.arguments.at(-1);
    const block = isFunction(body) && body.body.type === 'BlockStatement' ? body.body.body : [];
    switch (calleeText(call.callee)) {
      case 'test.use':
        context = { ...context, options: { ...context.options, ...optionsOf(call) } };
        break;
      case 'test.beforeEach':
        if (isFunction(body)) context = { ...context, beforeEach: [...context.beforeEach, body] };
        break;
      case 'test.describe':
      case 'test.describe.serial':
      case 'test.describe.parallel':
        flows.push(...flowsIn(block, context, text));
        break;
      case 'test':
      case 'test.only':
      case 'test.skip':
      case 'test.fixme':
      case 'test.slow':
        if (isFunction(body)) flows.push(flowOf(nameOf(call), body, context, text));
        break;
      default:
        // A script of its own: (async () => { … })().
        if (isFunction(call.callee)) flows.push(flowOf('Recording', call.callee, context, text));
    }
  }
  return flows;
}

function flowOf(name: string, body: Expression, context: Context, text: string): ImportedFlow {
  const reader = createStatementReader(text, context.options);
  reader.readShared(context.shared);
  for (const before of context.beforeEach) reader.readFunction(before);
  reader.readFunction(body);
  return reader.finish(name);
}

function isFunction(
  node: AnyNode | undefined,
): node is Extract<Expression, { type: 'ArrowFunctionExpression' | 'FunctionExpression' }> {
  return node?.type === 'ArrowFunctionExpression' || node?.type === 'FunctionExpression';
}

function calleeText(node: AnyNode): string {
  if (node.type === 'Identifier') return node.name;
  if (node.type !== 'MemberExpression' || node.property.type !== 'Identifier') return '';
  return `${calleeText(node.object)}.${node.property.name}`;
}

function nameOf(call: CallExpression): string {
  const [name] = call.arguments;
  return name?.type === 'Literal' && typeof name.value === 'string' && name.value.trim() !== ''
    ? name.value.trim()
    : 'Recording';
}

/** `test.use({ viewport, baseURL })`; what is computed, as a device, is told by the reader. */
function optionsOf(call: CallExpression): ScriptOptions {
  const [given] = call.arguments;
  if (given?.type !== 'ObjectExpression') return {};
  const options: Record<string, unknown> = {};
  for (const property of given.properties) {
    if (property.type !== 'Property') {
      options['...'] = true;
      continue;
    }
    const name =
      property.key.type === 'Identifier' ? property.key.name : String(Reflect.get(property.key, 'value'));
    try {
      options[name] = knownValue(property.value, {
        pages: new Set(),
        constants: new Map(),
        variables: new Set(),
      });
    } catch {
      options[name] = null;
    }
  }
  return options;
}
