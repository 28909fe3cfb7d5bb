import { expect, test } from 'vitest';
import { edgesOf, expectRunnable, importLines, type Line, nodesOf } from './side-file.ts';

test('if, elseIf and else are ifs one in the other, and all go on behind the end', () => {
  const imported = importLines(
    ['if', '${a} === "1"'],
    ['echo', 'one'],
    ['elseIf', '${a} === "2"'],
    ['echo', 'two'],
    ['else'],
    ['echo', 'other'],
    ['end'],
    ['echo', 'after'],
  );
  expect(nodesOf(imported)[0]).toEqual([
    'if',
    { subject: 'expression', expression: 'variables["a"] === "1"' },
  ]);
  expect(edgesOf(imported)).toEqual([
    'start --> 1-if',
    '1-if -true-> 2-log',
    '1-if -false-> 3-if',
    '3-if -true-> 4-log',
    '3-if -false-> 5-log',
    '2-log --> 6-log',
    '4-log --> 6-log',
    '5-log --> 6-log',
  ]);
});

test('an if without an else goes on at once where it does not hold', () => {
  const imported = importLines(['if', 'true'], ['echo', 'yes'], ['end'], ['echo', 'after']);
  expect(edgesOf(imported)).toEqual([
    'start --> 1-if',
    '1-if -true-> 2-log',
    '2-log --> 3-log',
    '1-if -false-> 3-log',
  ]);
});

test('loops of all kinds, with their bounds', () => {
  const imported = importLines(
    ['times', '2', '10'],
    ['echo', 'a'],
    ['end'],
    ['while', 'return ${n} < 3;'],
    ['echo', 'b'],
    ['end'],
    ['do'],
    ['echo', 'c'],
    ['repeatIf', '${n} < 3', '5000'],
    ['storeJson', '[1,2]', 'list'],
    ['forEach', 'list', 'item'],
    ['echo', '${item}'],
    ['end'],
  );
  expect(nodesOf(imported).filter(([type]) => type === 'loop')).toEqual([
    ['loop', { kind: 'times', times: 2, maxIterations: 10 }],
    ['loop', { kind: 'while', subject: 'expression', expression: 'variables["n"] < 3' }],
    [
      'loop',
      { kind: 'doWhile', subject: 'expression', expression: 'variables["n"] < 3', maxIterations: 2000 },
    ],
    ['loop', { kind: 'forEach', items: '{{list}}', as: 'item' }],
  ]);
  expect(edgesOf(imported)).toContain('1-loop -body-> 2-log');
  expect(edgesOf(imported)).toContain('1-loop -done-> 3-loop');
  expect(imported.unkept).toEqual([]);
});

test('a loop that holds an if that holds a loop is nested as it was, and runs', () => {
  const imported = importLines(
    ['times', '2'],
    ['if', '${a} > 1'],
    ['times', '3'],
    ['echo', 'deep'],
    ['end'],
    ['else'],
    ['end'],
    ['end'],
    ['echo', 'after'],
  );
  expect(edgesOf(imported)).toEqual([
    'start --> 1-loop',
    '1-loop -body-> 2-if',
    '2-if -true-> 3-loop',
    '3-loop -body-> 4-log',
    '1-loop -done-> 5-log',
  ]);
});

test.each<[string, Line[], string, string]>([
  ['an end too many', [['echo', 'a'], ['end']], 'command 2', 'it ends no block'],
  ['an else without an if', [['times', '2'], ['else'], ['end']], 'command 2', 'it stands in no if'],
  [
    'an elseIf behind the else',
    [['if', '1'], ['else'], ['elseIf', '2'], ['end']],
    'command 3',
    'behind the else',
  ],
  ['a repeatIf without a do', [['while', '1'], ['repeatIf', '1'], ['end']], 'command 2', 'it ends no do'],
  ['a do that ends by end', [['do'], ['end'], ['repeatIf', '1']], 'command 2', 'a do ends by repeatIf'],
  [
    'an if without an end',
    [
      ['if', '1'],
      ['echo', 'a'],
    ],
    'command 1',
    'its block has no end',
  ],
  ['an if without a condition', [['if', ''], ['echo', 'a'], ['end']], 'command 1', 'it has no condition'],
  ['too many rounds', [['times', '9999'], ['echo', 'a'], ['end']], 'command 1', 'at most 2000 rounds'],
  ['no number of rounds', [['times', 'x'], ['echo', 'a'], ['end']], 'command 1', 'no number of rounds'],
])('%s is told', (_, lines, where, why) => {
  const { unkept } = importLines(...lines);
  expect(unkept).toEqual([
    { where: `test "Test", ${where}`, what: expect.any(String), why: expect.stringContaining(why) },
  ]);
});

test('blocks nested without a bound are refused and not followed', () => {
  const deep = Array.from({ length: 30_000 }, () => ['if', 'true'] as const);
  const imported = importLines(...deep);
  expect(imported.unkept).toEqual([expect.objectContaining({ why: 'blocks are nested deeper than 50' })]);
  expectRunnable(imported);
});
