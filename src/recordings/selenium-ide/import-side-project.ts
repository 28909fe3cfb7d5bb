import type { ImportedFlow } from '../imported.ts';
import { layOutFlow } from '../lay-out-flow.ts';
import { type AddedVariables, createImportContext, type ImportContext } from './import-context.ts';
import { type ImportedTest, importSideTest, subflowName } from './import-side-test.ts';
import { NotKept } from './not-kept.ts';
import { readSideProject, type SideCommand, type SideProject, type SideTest } from './side-project.ts';
import { runsFrom } from './test-runs.ts';
import { collectVariableNames } from './variable-names.ts';

/**
 * The tests of a Selenium IDE project as flows: one for each place a test has in a suite, named `Suite / Test`, and one for each test that
 * is in no suite and that no other test runs. Throws UsageError for a project that is broken.
 */
export function importSideProject(json: unknown, path: string): ImportedFlow[] {
  const project = readSideProject(json, path);
  const names = collectVariableNames(project);
  const added = { baseUrl: names.unused('BASE_URL'), braces: names.unused('BRACES') };
  const runs = runsFrom(project, names);
  const imported = new Map<SideTest, ImportedTest>();
  const importOnce = (test: SideTest): ImportedTest => {
    const known = imported.get(test) ?? importSideTest(test, { contextFor, runBy });
    imported.set(test, known);
    return known;
  };
  const contextFor = (note: (text: string) => void): ImportContext =>
    createImportContext(project, names, added, note);
  const runBy = (test: SideTest, command: SideCommand, context: ImportContext): SideTest => {
    const name = context.resolved(command.target).trim();
    if (name !== command.target.trim()) context.note(`it runs "${name}", which ${command.target} holds`);
    const goal = runs.testNamed(name);
    if (goal === null) throw new NotKept(name === '' ? 'it names no test' : `there is no test "${name}"`);
    if (runs.leadsTo(goal, test)) throw new NotKept(`"${name}" runs "${test.name}" again, without an end`);
    return goal;
  };

  const titles = new Set<string>();
  const runByOthers = new Set(project.tests.flatMap((test) => [...importOnce(test).runs]));
  return placesOf(project, runByOthers).map(({ test, title, notes }) => {
    const own = importOnce(test);
    const others = testsRunBy(own, importOnce);
    const parts = [own, ...others.values()];
    const name = unique(title, titles);
    const subflows = Object.fromEntries([...others].map(([other, { steps }]) => [subflowName(other), steps]));
    const variables = variablesFor(JSON.stringify([own.steps, subflows]), project.url, added);
    return {
      name,
      flow: layOutFlow({
        name,
        steps: own.steps,
        subflows,
        variables: variables.values,
      }),
      notes: [...notes, ...variables.notes, ...new Set(parts.flatMap((part) => part.notes))],
      unkept: parts.flatMap(({ unkept }) => unkept),
    };
  });
}

/** The tests that one runs, and those that they run, each once. */
function testsRunBy(
  own: ImportedTest,
  importOnce: (test: SideTest) => ImportedTest,
): ReadonlyMap<SideTest, ImportedTest> {
  const found = new Map<SideTest, ImportedTest>();
  const open = [...own.runs];
  for (let test = open.shift(); test !== undefined; test = open.shift()) {
    if (found.has(test)) continue;
    const imported = importOnce(test);
    found.set(test, imported);
    open.push(...imported.runs);
  }
  return found;
}

/**
 * Every place a test has, in the order of the suites, then of the tests in none. A test in no suite that others run is a part of those, as
 * for Selenium IDE's own runner: alone it would lack what they do before.
 */
function placesOf(
  { suites, tests }: SideProject,
  runByOthers: ReadonlySet<SideTest>,
): { test: SideTest; title: string; notes: string[] }[] {
  const placed = suites.flatMap((suite) =>
    suite.tests.flatMap((id) => {
      const test = tests.find((candidate) => candidate.id === id);
      const title = test === undefined ? '' : `${suite.name.trim()} / ${test.name.trim()}`;
      return test === undefined ? [] : [{ test, title, suite }];
    }),
  );
  const inSuites = new Set(placed.map(({ test }) => test));
  const inNone = tests.filter((test) => !inSuites.has(test) && !runByOthers.has(test));
  return [
    ...placed.map(({ test, title, suite }, index) => ({
      test,
      title,
      notes:
        suite.persistSession && placed.findIndex((place) => place.suite === suite) < index
          ? [
              `the suite "${suite.name}" keeps its browser from one test to the next; this flow begins with a fresh one, and without the variables of the tests before`,
            ]
          : [],
    })),
    ...inNone.map((test) => ({ test, title: test.name.trim(), notes: [] })),
  ];
}

function unique(title: string, taken: Set<string>): string {
  const wanted = title === '' ? 'Untitled' : title.slice(0, 190);
  let name = wanted;
  for (let count = 2; taken.has(name); count += 1) name = `${wanted} (${count})`;
  taken.add(name);
  return name;
}

/** The variables of ours that a flow uses, with the values the project gives them. */
function variablesFor(
  flow: string,
  url: string,
  { baseUrl, braces }: AddedVariables,
): { values: Record<string, string>; notes: string[] } {
  const values: Record<string, string> = {};
  const notes: string[] = [];
  if (flow.includes(`{{${braces}}}`)) values[braces] = '{{';
  if (flow.includes(`{{${baseUrl}}}`)) {
    const isUsable = /^https?:\/\//i.test(url) && URL.canParse(url);
    if (isUsable) values[baseUrl] = new URL(url).origin;
    else {
      const what =
        url === '' ? 'the project names no address' : `the project's address "${url}" is none that is opened`;
      notes.push(`${what}; give one with --var ${baseUrl}=https://…`);
    }
  }
  return { values, notes };
}
