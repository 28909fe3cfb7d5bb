import type { AnyNode, Expression, Statement } from 'acorn';
import type { ImportedFlow } from '../imported.ts';
import { readAssignment, readDeclarator } from './read-assigned.ts';
import { readCall } from './read-call.ts';
import { newScriptState, type ScriptOptions } from './script-state.ts';
import { propertyName } from './script-values.ts';
import { Unsayable } from './spell-locator.ts';

/** Reads the statements of one test, in their order, into one flow. */
export interface StatementReader {
  /** Reads constants that stand outside of the test. */
  readShared(statements: readonly Statement[]): void;
  readFunction(body: Expression): void;
  finish(name: string): ImportedFlow;
}

/** Starts a flow. `text` is that of the whole script, to quote from. What cannot be read is refused in the flow. */
export function createStatementReader(text: string, options: ScriptOptions): StatementReader {
  const state = newScriptState(text, options);
  const { list, names, pages, at } = state;

  function attempt(node: AnyNode, read: () => void): void {
    try {
      read();
    } catch (error) {
      // A chain of thousands of calls is more than there is stack for.
      if (error instanceof RangeError) list.refuse(at(node), 'it is nested too deep');
      else if (error instanceof Unsayable) list.refuse(at(node), error.message);
      else throw error;
    }
  }

  function readStatement(statement: Statement): void {
    attempt(statement, () => {
      switch (statement.type) {
        case 'ExpressionStatement':
          readExpression(statement.expression);
          return;
        case 'VariableDeclaration':
          for (const declarator of statement.declarations) readDeclarator(declarator, state);
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
      readAssignment(node.left, node.right, state);
      return;
    }
    if (node.type !== 'CallExpression') throw new Unsayable('there is no step for it');
    const { callee } = node;
    const isPart =
      callee.type === 'MemberExpression' &&
      callee.object.type === 'Identifier' &&
      callee.object.name === 'test' &&
      propertyName(callee, names) === 'step';
    if (!isPart) {
      readCall(node, state);
      return;
    }
    const body = node.arguments.at(-1);
    if (body !== undefined) readFunction(body as Expression);
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
}
