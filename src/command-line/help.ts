import { exitCode, exitCodeMeaning } from '../lib/exit-code.ts';
import type { CommandEntry, Program } from './command.ts';

/** Help of the whole program: what it is, how one starts, its commands by group. */
export function programHelp({ name, summary, commands, examples }: Program): string {
  const groups = [...new Set(commands.map(({ group }) => group))];
  return lines(
    summary,
    '',
    ...examples.map((example) => `  $ ${example}`),
    ...groups.flatMap((group) => [
      '',
      `${group}:`,
      ...columns(
        commands.filter((entry) => entry.group === group).map((entry) => [entry.name, entry.summary]),
      ),
    ]),
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
      ...options.map((option): [string, string] => [option.flags, option.summary]),
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

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`.trimEnd());
}

function lines(...text: string[]): string {
  return `${text.join('\n')}\n`;
}
