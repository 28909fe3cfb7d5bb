import { exitCode, exitCodeMeaning } from '../lib/exit-code.ts';
import type { CommandEntry, HelpTopic, Program } from './command.ts';

/** Help of the whole program: what it is, how one starts, its commands by group, and what else there is to read. */
export function programHelp({ name, summary, commands, examples, topics }: Program): string {
  const groups = [...new Set(commands.map(({ group }) => group))];
  const width = Math.max(...[...commands, ...topics].map((row) => row.name.length));
  return lines(
    summary,
    '',
    ...examples.map((example) => `  $ ${example}`),
    ...groups.flatMap((group) => [
      '',
      `${group}:`,
      ...columns(
        commands.filter((entry) => entry.group === group).map((entry) => [entry.name, entry.summary]),
        width,
      ),
    ]),
    '',
    `Topics of "${name} help <topic>":`,
    ...columns(
      topics.map((topic) => [topic.name, topic.summary]),
      width,
    ),
    '',
    `Run "${name} <command> --help" for options, examples and exit codes; "${name} --version" for the version.`,
  );
}

/** Help of one command: usage, options, examples, exit codes. */
export function commandHelp(
  { name: program }: Program,
  { name, usage, summary, options, examples, exitCodes }: CommandEntry,
): string {
  const codes = [...new Set([...exitCodes, exitCode.usage, exitCode.internal])].sort((a, b) => a - b);
  return lines(
    summary,
    '',
    `Usage: ${[program, name, usage, '[options]'].filter((part) => part !== '').join(' ')}`,
    '',
    'Options:',
    ...columns([
      ...options.map(({ flags, short, summary: text, repeatable }): [string, string] => [
        short === undefined ? flags : `-${short}, ${flags}`,
        repeatable === true ? `${text} (may be repeated)` : text,
      ]),
      ['-h, --help', 'Show this help'],
    ]),
    '',
    'Examples:',
    ...examples.map((example) => `  $ ${example}`),
    '',
    'Exit codes:',
    ...columns(codes.map((code) => [String(code), exitCodeMeaning[code] ?? ''])),
  );
}

/** `help exit-codes`: all of them, and which commands can end with each. */
export function exitCodesTopic(commands: () => readonly CommandEntry[]): HelpTopic {
  return {
    name: 'exit-codes',
    summary: 'What each exit code means, and which commands end with it',
    async load() {
      const always: readonly number[] = [exitCode.usage, exitCode.internal];
      const rows = Object.entries(exitCodeMeaning).flatMap(([text, meaning]): [string, string][] => {
        const by = commands().filter(({ exitCodes }) => exitCodes.includes(Number(text)));
        if (always.includes(Number(text))) return [[text, `${meaning} (every command)`]];
        return by.length === 0 ? [] : [[text, `${meaning} (${by.map(({ name }) => name).join(', ')})`]];
      });
      return lines('Every command ends with one of these:', '', ...columns(rows));
    },
  };
}

/** One thing that `help environment` tells: where it may be written, and what it is. */
export interface EnvironmentRow {
  readonly variables: readonly string[];
  readonly flag?: string | undefined;
  readonly summary: string;
}

/** The text of `help environment`. */
export function environmentHelp(introduction: string, rows: readonly EnvironmentRow[]): string {
  return lines(
    introduction,
    '',
    ...columns(
      rows.map(({ variables, flag, summary }) => [
        variables.join(', '),
        flag === undefined ? plain(summary) : `${plain(summary)} [${flag}]`,
      ]),
    ),
  );
}

/** Variables that concern what both programs write. */
export const appearanceRows: readonly EnvironmentRow[] = [
  { variables: ['NO_COLOR'], summary: 'No colours, whatever its value, unless it is empty' },
  { variables: ['FORCE_COLOR'], summary: 'Colours also where there is no terminal; `0` or `false`: none' },
  { variables: ['CI', 'TERM=dumb'], summary: 'No colours' },
];

/** Summaries are written for documents as well, where backquotes mark code. */
function plain(summary: string): string {
  return summary.replaceAll('`', '');
}

function columns(rows: readonly (readonly [string, string])[], atLeast = 0): string[] {
  const width = Math.max(atLeast, ...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`.trimEnd());
}

function lines(...text: string[]): string {
  return `${text.join('\n')}\n`;
}
