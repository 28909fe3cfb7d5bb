import type { SideProject, SideTest } from './side-project.ts';
import type { VariableNames } from './variable-names.ts';

/** Which tests run which. */
export interface TestRuns {
  /** The first test of that name; null where there is none. */
  testNamed(name: string): SideTest | null;
  /** True when running `from` would run `to`, or they are the same. */
  leadsTo(from: SideTest, to: SideTest): boolean;
}

/** Reads the `run` commands of all tests. A name that stands in a variable is known where the variable only ever holds that name. */
export function runsFrom({ tests }: SideProject, names: VariableNames): TestRuns {
  const byName = new Map<string, SideTest>();
  for (const test of tests) if (!byName.has(test.name.trim())) byName.set(test.name.trim(), test);
  const direct = new Map(
    tests.map((test) => [
      test,
      test.commands
        .filter(({ command, isSkipped }) => command === 'run' && !isSkipped)
        .flatMap(({ target }) => {
          const variable = /^\s*\$\{([^}]*)\}\s*$/.exec(target)?.[1];
          const name = (variable === undefined ? null : names.fixedText(variable)) ?? target;
          return byName.get(name.trim()) ?? [];
        }),
    ]),
  );
  const known = new Map<SideTest, ReadonlySet<SideTest>>();
  const reachedFrom = (test: SideTest): ReadonlySet<SideTest> => {
    const before = known.get(test);
    if (before !== undefined) return before;
    const reached = new Set<SideTest>();
    const open = [...(direct.get(test) ?? [])].reverse();
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (reached.has(next)) continue;
      reached.add(next);
      open.push(...(direct.get(next) ?? []).toReversed());
    }
    known.set(test, reached);
    return reached;
  };
  return {
    testNamed: (name) => byName.get(name) ?? null,
    leadsTo: (from, to) => from === to || reachedFrom(from).has(to),
  };
}
