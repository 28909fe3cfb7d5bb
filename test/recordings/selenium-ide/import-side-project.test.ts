import { expect, test } from 'vitest';
import { UsageError } from '../../../src/lib/errors.ts';
import type { ImportedFlow } from '../../../src/recordings/imported.ts';
import { importSideProject } from '../../../src/recordings/selenium-ide/import-side-project.ts';
import { looksLikeSideProject } from '../../../src/recordings/selenium-ide/side-project.ts';
import { edgesOf, expectRunnable, importLines, type Line, nodesOf, sideFile } from './side-file.ts';

function importFile(json: unknown): ImportedFlow[] {
  const flows = importSideProject(json, 'shop.side');
  for (const flow of flows) expectRunnable(flow);
  return flows;
}

test('each place of a test in a suite is a flow, then each test in none', () => {
  const tests = { Login: [], Buy: [], Alone: [] };
  const suites = [
    { name: 'Smoke', tests: ['id of Buy', 'id of Login', 'id of nobody'] },
    { name: 'All', tests: ['id of Login'] },
    { name: 'All', tests: ['id of Login'] },
  ];
  expect(importFile(sideFile(tests, { suites })).map(({ name }) => name)).toEqual([
    'Smoke / Buy',
    'Smoke / Login',
    'All / Login',
    'All / Login (2)',
    'Alone',
  ]);
});

test('a suite that keeps its browser is told for the tests that begin in it', () => {
  const suites = [{ name: 'One', tests: ['id of A', 'id of B'], persistSession: true }];
  const [first, second] = importFile(sideFile({ A: [], B: [] }, { suites }));
  expect(first?.notes).toEqual([]);
  expect(second?.notes).toEqual([expect.stringContaining('keeps its browser')]);
});

test('a test that others run is a subflow of theirs, with all that it runs itself', () => {
  const [outer, ...others] = importFile(
    sideFile({
      outer: [
        ['store', 'Tom', 'user'],
        ['run', 'login'],
        ['run', ' login '],
      ],
      login: [
        ['type', 'id=u', '${user}'],
        ['run', 'submit'],
      ],
      submit: [['click', 'id=ok']],
    }),
  );
  expect(others).toEqual([]);
  expect(outer && nodesOf(outer)).toEqual([
    ['setVariable', { variable: 'user', value: 'Tom' }],
    ['subflow', { subflow: 'login' }],
    ['subflow', { subflow: 'login' }],
    ['subflowStart', { name: 'login' }],
    ['type', { selector: 'id=u', value: '{{user}}' }],
    ['subflow', { subflow: 'submit' }],
    ['subflowStart', { name: 'submit' }],
    ['click', { selector: 'id=ok' }],
  ]);
  expect(outer?.unkept).toEqual([]);
});

test('a test that is run by the name in a variable is found where the variable holds one name only', () => {
  const [outer] = importFile(
    sideFile({
      outer: [
        ['store', 'inner', 'which'],
        ['run', '${which}'],
      ],
      inner: [['echo', 'in']],
    }),
  );
  expect(outer && nodesOf(outer)).toContainEqual(['subflow', { subflow: 'inner' }]);
  expect(outer?.notes).toEqual([expect.stringContaining('it runs "inner", which ${which} holds')]);
});

test('a test that runs itself, or one that does not exist, is told', () => {
  const flows = importFile(
    sideFile({
      a: [['run', 'b']],
      b: [['run', 'a']],
      c: [
        ['run', 'nobody'],
        ['run', 'c'],
        ['run', '${x}'],
      ],
    }),
  );
  expect(flows.map(({ name, unkept }) => [name, unkept.map(({ why }) => why)])).toEqual([
    ['a', ['"b" runs "a" again, without an end']],
    ['b', ['"a" runs "b" again, without an end']],
    ['c', ['there is no test "nobody"', '"c" runs "c" again, without an end', 'there is no test "${x}"']],
  ]);
});

test('what a subflow does not keep is told with the flow that runs it', () => {
  const [outer] = importFile(sideFile({ outer: [['run', 'inner']], inner: [['magic', 'x']] }));
  expect(outer?.unkept).toEqual([
    expect.objectContaining({ where: 'test "inner", command 1', what: 'magic x' }),
  ]);
});

test('the address of the project is a variable, so that the flow can be pointed elsewhere', () => {
  const [flow] = importFile(sideFile({ A: [['open', '/x']], B: [['open', 'https://a.example/x']] }));
  expect(flow?.flow.variables).toEqual({ BASE_URL: 'https://shop.example.com' });
  expect(importFile(sideFile({ B: [['open', 'https://a.example/x']] }))[0]?.flow).not.toHaveProperty(
    'variables',
  );
});

test('a project without an address asks for one', () => {
  const [flow] = importFile(sideFile({ A: [['open', '/x']] }, { url: '' }));
  expect(flow?.flow).not.toHaveProperty('variables');
  expect(flow?.notes).toEqual(['the project names no address; give one with --var BASE_URL=https://…']);
});

test('a variable of the project called BASE_URL stays its own', () => {
  const [flow] = importFile(
    sideFile({
      A: [
        ['store', '/x', 'BASE_URL'],
        ['open', '/x'],
        ['open', '${BASE_URL}'],
      ],
    }),
  );
  expect(flow?.flow.variables).toEqual({ BASE_URL_2: 'https://shop.example.com' });
  expect(flow && nodesOf(flow)).toContainEqual(['navigate', { url: '{{BASE_URL_2}}/x' }]);
  expect(flow && nodesOf(flow)).toContainEqual(['navigate', { url: '{{BASE_URL_2}}{{BASE_URL}}' }]);
});

test('a variable with a name that ours do not have gets another, in texts and scripts alike', () => {
  const imported = importLines(
    ['store', '1', 'my var'],
    ['store', '2', 'my_var'],
    ['echo', '${my var} ${my_var} ${not ours} ${nbsp}.'],
    ['runScript', 'f(${my var})'],
  );
  expect(nodesOf(imported)).toEqual([
    ['setVariable', { variable: 'my_var', value: '1' }],
    ['setVariable', { variable: 'my_var_2', value: '2' }],
    ['log', { message: '{{my_var}} {{my_var_2}} ${not ours} \u{a0}.' }],
    ['evaluate', { script: 'f(variables["my_var"])' }],
  ]);
});

test('a variable that no command sets is told once', () => {
  const imported = importLines(['echo', '${who} ${who}'], ['echo', '${who}']);
  expect(imported.notes).toEqual([expect.stringContaining('--var who=…')]);
});

test('double braces that a page has mean nothing to a flow', () => {
  const imported = importLines(['type', 'id=a', 'Hi {{name}}, {{ x'], ['magic', '{{name}}']);
  expect(imported.flow.variables).toEqual({ BRACES: '{{' });
  expect(nodesOf(imported)[0]).toEqual(['type', { selector: 'id=a', value: 'Hi {{BRACES}}name}}, {{ x' }]);
});

test('one label in a variable is chosen by what the variable holds', () => {
  const imported = importLines(['store', 'value=2', 'choice'], ['select', 'id=s', '${choice}']);
  expect(nodesOf(imported)[1]).toEqual(['select', { selector: 'id=s', by: 'value', value: '2' }]);
});

test('steps follow one another from the start, with readable ids and from top to bottom', () => {
  const imported = importLines(['open', '/'], ['click', 'id=a']);
  expect(edgesOf(imported)).toEqual(['start --> 1-navigate', '1-navigate --> 2-click']);
  const rows = imported.flow.nodes.map(({ position }) => position.y);
  expect(rows).toEqual([...rows].sort((a, b) => a - b));
});

test('all that is wrong with a file is told at once, by test and command', () => {
  const broken = {
    ...sideFile({
      Login: [
        ['open', '/'],
        ['click', 'id=a'],
      ],
    }),
    suites: [{ name: 'S', tests: [1] }],
  };
  const [login] = Reflect.get(broken, 'tests') as { commands: unknown[] }[];
  login?.commands.splice(1, 1, { command: 7, target: [] });
  expect(() => importSideProject(broken, 'shop.side')).toThrow(UsageError);
  try {
    importSideProject(broken, 'shop.side');
  } catch (error) {
    expect(error).toMatchObject({
      message: 'shop.side is no Selenium IDE project',
      problems: [
        'test "Login", command 2, command: must be a text',
        'test "Login", command 2, target: must be a text',
        'suites[0].tests[0]: must be the id of a test',
      ],
    });
  }
});

test.each<[unknown, boolean]>([
  [sideFile({}), true],
  [{ tests: [{ commands: 1 }] }, true],
  [{ tests: [] }, false],
  [{ nodes: [], edges: [] }, false],
  [{ steps: [], title: 'x' }, false],
  [null, false],
  ['tests', false],
])('%j is taken for a project: %s', (json, isOne) => {
  expect(looksLikeSideProject(json)).toBe(isOne);
});

test('a project of many tests that run many others is read in a moment', () => {
  const lines: Line[] = Array.from({ length: 100 }, (_, index) => ['run', `t${index}`]);
  const tests = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`t${index}`, lines]));
  const startedAt = performance.now();
  importSideProject(sideFile(tests), 'shop.side');
  expect(performance.now() - startedAt).toBeLessThan(2_000);
});
