import type { AnyNode, CallExpression, Expression, Statement, VariableDeclarator } from 'acorn';
import type { RecordedAt } from '../collect-steps.ts';
import type { ImportedFlow } from '../imported.ts';
import { contextStep, dialogAnswer } from './context-steps.ts';
import { elementStep } from './element-steps.ts';
import { type Expectation, expectationStep } from './expectation-steps.ts';
import { pageSteps } from './page-steps.ts';
import { knownValue, locatorOf, propertyName, type ScriptNames } from './script-values.ts';
import { type LocatorPath, spellLocator, Unsayable } from './spell-locator.ts';
import { listSteps } from './step-list.ts';
import { expectationIn, readingIn, scriptOf, subjectsRead } from './take-apart.ts';

/** Options of the browser context that hold for a whole script, by Playwright's names. */
export type ScriptOptions = Readonly<Record<string, unknown>>;

/** Reads the statements of one test, in their order, into one flow. */
export interface StatementReader {
  /** Reads constants that stand outside of the test. */
  readShared(statements: readonly Statement[]): void;
  readFunction(body: Expression): void;
  finish(name: string): ImportedFlow;
}

/** Starts a flow. `text` is that of the whole script, to quote from. */
export function createStatementReader(text: string, options: ScriptOptions): StatementReader {
  const list = listSteps();
  const pages = new Set<string>();
  const constants = new Map<string, unknown>();
  const variables = new Set<string>();
  const names: ScriptNames = { pages, constants, variables };
  /** `page1Promise` -> what it waits for. */
  const awaited = new Map<string, 'popup' | 'download'>();
  const downloads = new Set<string>();
  /** A dialog that is answered by the step to come. */
  let dialog: { at: RecordedAt; data: Record<string, unknown> } | null = null;
  let mainPage = 'page';
  useOptions(options, { where: 'test.use', what: 'options' });

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

  function attempt(node: AnyNode, read: () => void): void {
    try {
      read();
    } catch (error) {
      if (!(error instanceof Unsayable)) throw error;
      list.refuse(at(node), error.message);
    }
  }

  function pageField(page: string): { page?: string } {
    return page === mainPage ? {} : { page };
  }

  function placeOf(path: LocatorPath): Record<string, unknown> {
    const { selector, frame } = spellLocator(path);
    return { selector, ...(frame === undefined ? {} : { frame }), ...pageField(path.page) };
  }

  function readStatement(statement: Statement): void {
    attempt(statement, () => {
      switch (statement.type) {
        case 'ExpressionStatement':
          readExpression(statement.expression);
          return;
        case 'VariableDeclaration':
          for (const declarator of statement.declarations) readDeclarator(declarator);
          return;
        case 'BlockStatement':
          statement.body.forEach(readStatement);
          return;
        case 'EmptyStatement':
        case 'FunctionDeclaration':
          return;
        default:
          throw new Unsayable('scripts are read step by step, without decisions and loops');
      }
    });
  }

  function readExpression(expression: Expression): void {
    const node = expression.type === 'AwaitExpression' ? expression.argument : expression;
    if (node.type === 'AssignmentExpression') {
      readAssignment(node.left, node.right);
      return;
    }
    if (node.type !== 'CallExpression' || node.callee.type !== 'MemberExpression') {
      throw new Unsayable('there is no step for it');
    }
    const { callee } = node;
    const method = propertyName(callee, names) ?? '';
    const { object } = callee;
    if (object.type === 'Identifier') {
      if (object.name === 'console') {
        readLog(node);
        return;
      }
      if (object.name === 'test' && method === 'step') {
        const body = node.arguments.at(-1);
        if (body !== undefined) readFunction(body as Expression);
        return;
      }
      if (['browser', 'context'].includes(object.name) && !pages.has(object.name)) {
        readContext(object.name, method, node);
        return;
      }
      if (downloads.has(object.name)) {
        readDownload(method, node);
        return;
      }
      if (pages.has(object.name)) {
        readPageCall(object.name, method, node);
        return;
      }
    }
    const expectation = expectationIn(node, names);
    if (expectation !== null) {
      readExpectation(expectation.subject, expectation.expectation, node);
      return;
    }
    if (
      object.type === 'MemberExpression' &&
      object.object.type === 'Identifier' &&
      pages.has(object.object.name)
    ) {
      const device = propertyName(object, names) ?? '';
      readPageCall(object.object.name, `${device}.${method}`, node);
      return;
    }
    if (object.type === 'CallExpression' && propertyName(object.callee, names) === 'context') {
      readContext('context', method, node);
      return;
    }
    const place = placeOf(locatorOf(object, names));
    add(
      node,
      elementStep(
        method,
        node.arguments.map((argument) => knownValue(argument, names)),
        place,
      ),
    );
  }

  /** Adds a step, and behind it the dialog that was armed before. */
  function add(node: AnyNode, step: Parameters<typeof list.add>[1]): void {
    list.add(at(node), step);
    if (dialog !== null) list.add(dialog.at, { type: 'dialog', data: dialog.data });
    dialog = null;
  }

  function readPageCall(page: string, method: string, node: CallExpression): void {
    if (method === 'once' || method === 'on') {
      readListener(method, node);
      return;
    }
    if (method === 'evaluate') {
      add(node, { type: 'evaluate', data: { script: scriptOf(node, names, text), ...pageField(page) } });
      return;
    }
    const args = node.arguments.map((argument) => knownValue(argument, names));
    if (method === 'goto' && typeof args[0] === 'string') args[0] = resolved(args[0]);
    for (const step of pageSteps(method, args, pageField(page))) add(node, step);
  }

  function resolved(url: string): string {
    const base = options['baseURL'];
    return typeof base === 'string' && URL.canParse(url, base) && !url.includes('{{')
      ? new URL(url, base).href
      : url;
  }

  function readLog(node: CallExpression): void {
    const words = node.arguments.map((argument) => String(knownValue(argument, names)));
    list.add(at(node), { type: 'log', data: { message: words.join(' ') } });
  }

  function readContext(owner: string, method: string, node: CallExpression): void {
    const args = node.arguments.map((argument) => knownValue(argument, names));
    if (method !== 'close') add(node, contextStep(owner, method, args));
  }

  function readListener(method: string, node: CallExpression): void {
    const [event, handler] = node.arguments;
    const isDialog = event?.type === 'Literal' && event.value === 'dialog';
    if (!isDialog || method !== 'once' || handler === undefined) throw new Unsayable('a listener');
    dialog = { at: at(node), data: dialogAnswer(text.slice(handler.start, handler.end)) };
  }

  function readDownload(method: string, node: CallExpression): void {
    if (method !== 'saveAs') throw new Unsayable(`there is no step for download.${method}()`);
    list.amend(['download'], { save: knownValue(node.arguments[0], names) });
  }

  function readDeclarator({ id, init }: VariableDeclarator): void {
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
      readAwaited(id.name, init.argument);
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
    const waits = waitedEvent(init);
    if (waits !== null) awaited.set(id.name, waits);
    else constants.set(id.name, knownValue(init, names));
  }

  /** What stands behind `=` and `await`. */
  function readAwaited(name: string, node: Expression): void {
    if (node.type === 'Identifier') {
      const event = awaited.get(node.name);
      if (event === 'popup') {
        openPopup(name);
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
        useOptions(Object(given) as ScriptOptions, at(node));
        return;
      }
      if (method === 'newPage') {
        const isFirst = pages.size === 0;
        pages.add(name);
        if (isFirst) mainPage = name;
        else list.add(at(node), { type: 'openPage', data: { name } });
        return;
      }
      variables.add(name);
      readExtract(name, node);
      return;
    }
    throw new Unsayable('there is no step for it');
  }

  function openPopup(name: string): void {
    pages.add(name);
    if (!list.amend(['click', 'press', 'submit'], { opens: name }))
      throw new Unsayable('a page that no step opens');
  }

  function readAssignment(left: AnyNode, right: Expression): void {
    const name = left.type === 'MemberExpression' ? propertyName(left, names) : null;
    const isVariable =
      left.type === 'MemberExpression' &&
      left.object.type === 'Identifier' &&
      left.object.name === 'variables';
    if (name === null || !isVariable) throw new Unsayable('an assignment');
    variables.add(name);
    const node = readingIn(right, names);
    if (node !== null) {
      readExtract(name, node);
      return;
    }
    const value = knownValue(right, names);
    if (typeof value !== 'string') throw new Unsayable('a variable that is no text');
    list.add(at(right), { type: 'setVariable', data: { variable: name, value } });
  }

  function readExtract(variable: string, node: CallExpression): void {
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

  function readExpectation(subject: AnyNode, expectation: Expectation, node: AnyNode): void {
    const download = suggestedName(subject);
    if (download) {
      if (expectation.matcher !== 'toBe' || expectation.isNegated)
        throw new Unsayable('an expectation of a download');
      list.amend(['download'], { fileName: expectation.args[0], match: 'exact' });
      return;
    }
    const path = locatorOf(subject, names);
    add(node, expectationStep(expectation, path.calls.length === 0 ? pageField(path.page) : placeOf(path)));
  }

  function suggestedName(node: AnyNode): boolean {
    return (
      node.type === 'CallExpression' &&
      node.callee.type === 'MemberExpression' &&
      node.callee.object.type === 'Identifier' &&
      downloads.has(node.callee.object.name) &&
      propertyName(node.callee, names) === 'suggestedFilename'
    );
  }

  function readFunction(body: Expression): void {
    if (body.type !== 'ArrowFunctionExpression' && body.type !== 'FunctionExpression')
      throw new Unsayable('no function');
    const [given] = body.params;
    if (given?.type === 'ObjectPattern') {
      for (const property of given.properties) {
        const name =
          property.type === 'Property' && property.key.type === 'Identifier' ? property.key.name : '';
        if (name === 'page') pages.add(name);
      }
    }
    if (body.body.type === 'BlockStatement') body.body.body.forEach(readStatement);
    else attempt(body.body, () => readExpression(body.body as Expression));
  }

  return {
    readShared(statements) {
      for (const statement of statements)
        if (statement.type === 'VariableDeclaration') readStatement(statement);
    },
    readFunction,
    finish: (name) => list.finish(name),
  };

  function waitedEvent(node: Expression): 'popup' | 'download' | null {
    if (node.type !== 'CallExpression' || node.callee.type !== 'MemberExpression') return null;
    if (propertyName(node.callee, names) !== 'waitForEvent') return null;
    const [event] = node.arguments;
    const name = event?.type === 'Literal' ? event.value : null;
    if (name === 'popup' || name === 'download') return name;
    throw new Unsayable('an event that no step waits for');
  }
}
