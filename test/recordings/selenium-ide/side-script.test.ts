import { expect, test } from 'vitest';
import {
  asExpression,
  returningLast,
  translateScript,
} from '../../../src/recordings/selenium-ide/side-script.ts';

const known = (name: string): string | null => (name === 'x' ? 'variables["x"]' : null);

test.each([
  ['return ${x}[0] + 1', 'return variables["x"][0] + 1'],
  ['return "a ${x} b"', 'return "a " + variables["x"] + " b"'],
  ["return 'it\\'s ${x}'", "return 'it\\'s ' + variables[\"x\"] + ''"],
  ['return `a ${x} ${local}`', 'return `a ${variables["x"]} ${local}`'],
  ['return s.replace(/["\'`]/g, ${x})', 'return s.replace(/["\'`]/g, variables["x"])'],
  ['return 4 / 2 + "${x}" / 1', 'return 4 / 2 + "" + variables["x"] + "" / 1'],
  ["// don't\nreturn ${x}", '// don\'t\nreturn variables["x"]'],
  ["/* don't */ return ${x}", '/* don\'t */ return variables["x"]'],
  ['a();\\nb("c\\nd")', 'a();\nb("c\\nd")'],
  ['return ${y}', 'return ${y}'],
])('%j', (written, script) => {
  expect(translateScript(written, known)).toBe(script);
});

test.each([
  ['return a;', 'a'],
  [' a === 1 ; ', 'a === 1'],
  ['returned', 'returned'],
])('%j as an expression', (written, expression) => {
  expect(asExpression(written)).toBe(expression);
});

test.each([
  ['fetch("/a")', 'return fetch("/a")'],
  ['const a = 1; go(a)', 'const a = 1; return go(a)'],
  ['return go()', 'return go()'],
  ['no javascript (', 'no javascript ('],
])('%j returns what its last statement gives', (written, script) => {
  expect(returningLast(written)).toBe(script);
});
