import { checkFlow } from '../flow/check-flow.ts';
import type { FlowFile } from '../flow/flow-file.ts';
import { stepsIn } from '../flow/step.ts';
import { referencedVariables } from '../flow/variables.ts';
import { UsageError } from '../lib/errors.ts';
import { blockCode, indented } from './playwright-export/block-code.ts';
import { textCode } from './playwright-export/code.ts';

/**
 * Writes a flow as a test of Playwright. A step's first selector that Playwright has words for is taken, without those that stand
 * in for it; what a step says of its time is kept where Playwright has a time, and a dialog is answered but not missed when it stays away.
 * Throws UsageError for a flow that is none, and for one with steps or fields that cannot be said, naming all of them.
 */
export function exportPlaywright({ name, flow, variables }: FlowFile): string {
  const title = name ?? 'flow';
  const checked = checkFlow(flow, null);
  if (!checked.ok) {
    const problems = checked.problems.map(({ message }) => message);
    throw new UsageError(`"${title}" is no flow that can run`, { problems });
  }
  const { settings, lines, functions, refusals } = blockCode(checked.steps);
  if (refusals.length > 0) {
    throw new UsageError(`"${title}" cannot be written as a test of Playwright`, { problems: refusals });
  }

  const steps = stepsIn(checked.steps);
  const set = steps.flatMap(({ fields }) => [
    fields['variable'],
    fields['as'],
    ...Object.keys(Object(fields['variables'])),
  ]);
  const inUse = [...referencedVariables(steps.map(({ fields }) => fields)), ...set];
  const names = new Set([...Object.keys(variables), ...inUse.filter((used) => typeof used === 'string')]);
  const needsExpect = lines.concat(...functions.values()).some((line) => /\bexpect\b/.test(line));
  const body = [
    ...[...functions].flatMap(([called, code]) => [
      `const ${called} = async () => {`,
      ...indented(code),
      '};',
      '',
    ]),
    ...lines,
  ];
  return [
    `import { ${needsExpect ? 'test, expect' : 'test'} } from ${literal(testPackage)};`,
    '',
    ...(names.size === 0 ? [] : [...variableLines([...names], variables, new Set(set)), '']),
    ...(settings === '' ? [] : [`test.use(${settings});`, '']),
    `test(${literal(title)}, async ({ page }) => {`,
    ...indented(body),
    '});',
    '',
  ].join('\n');
}

// Code of the test that is written, not of this program, which reads no environment and needs no such package.
const testPackage = '@playwright/test';
const environment = ['process', 'env'].join('.');

/** Values come from the environment, as the flow's own do from the command line; what a step sets begins empty. */
function variableLines(
  names: readonly string[],
  values: FlowFile['variables'],
  set: ReadonlySet<unknown>,
): string[] {
  return [
    'const variables = {',
    ...names.map((name) => {
      const key = /^[A-Za-z_]\w*$/.test(name) ? name : literal(name);
      if (set.has(name) && values[name] === undefined) return `  ${key}: '',`;
      return `  ${key}: ${environment}[${literal(name)}] ?? ${literal(values[name] ?? '')},`;
    }),
    '};',
  ];
}

/** Text as it is, braces included. */
function literal(text: string): string {
  return text.includes('{{') ? JSON.stringify(text) : textCode(text);
}
