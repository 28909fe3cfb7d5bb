import * as z from 'zod';
import { UsageError } from '../../lib/errors.ts';
import { fieldPath } from '../../protocol/problem.ts';

/** A Selenium IDE project as its `.side` file holds it: the parts that say what a test does. */
export interface SideProject {
  readonly name: string;
  /** Address that relative ones begin with; empty where the project names none. */
  readonly url: string;
  readonly tests: readonly SideTest[];
  readonly suites: readonly SideSuite[];
}

export interface SideTest {
  readonly id: string;
  readonly name: string;
  readonly commands: readonly SideCommand[];
}

interface SideSuite {
  readonly name: string;
  /** Ids of tests. */
  readonly tests: readonly string[];
  /** The tests follow one another in the same browser. */
  readonly persistSession: boolean;
}

/** One line of a test. */
export interface SideCommand {
  /** From 1, as the IDE counts its lines. */
  readonly number: number;
  readonly command: string;
  readonly target: string;
  readonly value: string;
  readonly comment: string;
  /** Other locators of the target, as the recorder found them. */
  readonly otherTargets: readonly string[];
  /** Name for the window that the command opens; null where it opens none. */
  readonly opensWindow: string | null;
  readonly isBreakpoint: boolean;
  readonly isSkipped: boolean;
}

/** True for JSON that is meant to be a Selenium IDE project, whole or broken. */
export function looksLikeSideProject(json: unknown): boolean {
  const tests = Reflect.get(Object(json), 'tests');
  if (!Array.isArray(tests)) return false;
  return Reflect.has(Object(json), 'suites') || tests.some((test) => Reflect.has(Object(test), 'commands'));
}

/** Reads a project. Throws UsageError that names the file and every field that is wrong, by test and command. */
export function readSideProject(json: unknown, path: string): SideProject {
  const parsed = projectSchema.safeParse(json);
  if (!parsed.success) {
    throw new UsageError(`${path} is no Selenium IDE project`, {
      problems: parsed.error.issues
        .slice(0, 50)
        .map((issue) => `${placeOf(json, issue.path)}: ${issue.message}`),
    });
  }
  const { name, url, tests, suites } = parsed.data;
  return {
    name: name ?? '',
    url: url?.trim() ?? '',
    suites: (suites ?? []).map((suite) => ({ ...suite, persistSession: suite.persistSession ?? false })),
    tests: tests.map((test) => ({
      id: test.id ?? test.name,
      name: test.name,
      commands: test.commands.map((command, index) => ({
        number: index + 1,
        command: command.command.trim(),
        target: command.target ?? '',
        value: command.value ?? '',
        comment: command.comment?.trim() ?? '',
        otherTargets: [
          ...(command.targets ?? []),
          ...(command.fallbackTargets ?? []),
          ...(command.targetFallback ?? []),
        ].map((target) => (typeof target === 'string' ? target : (target[0] ?? ''))),
        opensWindow: command.opensWindow === true ? command.windowHandleName?.trim() || 'popup' : null,
        isBreakpoint: command.isBreakpoint ?? false,
        isSkipped: command.skip ?? false,
      })),
    })),
  };
}

const locators = z.array(z.union([z.string(), z.array(z.string())]), 'must be a list of locators').nullish();
const yesOrNo = z.boolean('must be true or false').nullish();
const string = z.string('must be a text').nullish();
const commandSchema = z.object(
  {
    command: z.string('must be a text'),
    target: string,
    value: string,
    comment: string,
    targets: locators,
    fallbackTargets: locators,
    targetFallback: locators,
    opensWindow: yesOrNo,
    windowHandleName: string,
    isBreakpoint: yesOrNo,
    skip: yesOrNo,
  },
  'must be a command',
);
const projectSchema = z.object(
  {
    name: string,
    url: string,
    tests: z.array(
      z.object(
        {
          id: string,
          name: z.string('must be a text'),
          commands: z.array(commandSchema, 'must be a list of commands'),
        },
        'must be a test',
      ),
      'must be a list of tests',
    ),
    suites: z
      .array(
        z.object(
          {
            name: z.string('must be a text'),
            tests: z.array(z.string('must be the id of a test'), 'must be a list of ids'),
            persistSession: yesOrNo,
          },
          'must be a suite',
        ),
        'must be a list of suites',
      )
      .nullish(),
  },
  'must be an object',
);

/** `test "Login", command 3: target` where the path leads into a test with a name, else the path itself. */
function placeOf(json: unknown, path: readonly PropertyKey[]): string {
  const [first, index, second, commandIndex, ...rest] = path;
  const test =
    first === 'tests' && typeof index === 'number' ? Reflect.get(Object(json), 'tests')[index] : null;
  const name = Reflect.get(Object(test), 'name');
  if (typeof name !== 'string' || second === undefined) return fieldPath([...path]);
  if (second !== 'commands' || typeof commandIndex !== 'number') {
    return `test "${name}", ${fieldPath(path.slice(2))}`;
  }
  const field = rest.length === 0 ? '' : `, ${fieldPath(rest)}`;
  return `test "${name}", command ${commandIndex + 1}${field}`;
}
