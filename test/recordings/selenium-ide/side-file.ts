import { expect } from 'vitest';
import { checkFlow } from '../../../src/flow/check-flow.ts';
import type { ImportedFlow } from '../../../src/recordings/imported.ts';
import { importSideProject } from '../../../src/recordings/selenium-ide/import-side-project.ts';

/** A command as a test writes it: command, target, value, and other fields of the file. */
export type Line = readonly [
  command: string,
  target?: string,
  value?: string,
  more?: Readonly<Record<string, unknown>>,
];

/** The JSON of a project with these tests, by name. */
export function sideFile(
  tests: Readonly<Record<string, readonly Line[]>>,
  more: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  return {
    id: 'p',
    version: '2.0',
    name: 'Shop',
    url: 'https://shop.example.com/base/',
    urls: [],
    plugins: [],
    suites: [],
    tests: Object.entries(tests).map(([name, lines]) => ({
      id: `id of ${name}`,
      name,
      commands: lines.map(([command, target = '', value = '', fields = {}], index) => ({
        id: `${index}`,
        comment: '',
        command,
        target,
        value,
        targets: [],
        ...fields,
      })),
    })),
    ...more,
  };
}

/** The flow of a project with one test. Whatever comes of it must be a flow that can run. */
export function importLines(...lines: readonly Line[]): ImportedFlow {
  const [imported, ...others] = importSideProject(sideFile({ Test: lines }), 'shop.side');
  expect(others).toEqual([]);
  if (imported === undefined) throw new Error('the project gave no flow');
  expectRunnable(imported);
  return imported;
}

/** The flow is one that a run would take. */
export function expectRunnable({ flow }: ImportedFlow): void {
  expect(checkFlow({ nodes: [...flow.nodes], edges: [...flow.edges] }, null)).toMatchObject({ ok: true });
}

/** Type and data of each node behind the start, in the order of drawing. */
export function nodesOf({ flow }: ImportedFlow): [type: string, data: unknown][] {
  return flow.nodes.slice(1).map(({ type, data }) => [type, data]);
}

/** The edges as `source -handle-> target`. */
export function edgesOf({ flow }: ImportedFlow): string[] {
  return flow.edges.map(({ source, target, sourceHandle }) => `${source} -${sourceHandle ?? ''}-> ${target}`);
}
