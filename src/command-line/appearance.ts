import type { CommandContext, CommandOption, Writer } from './command.ts';

/**
 * True when colours and symbols may be written to `out`: a terminal that can show them and no wish against it.
 * NO_COLOR and FORCE_COLOR as those conventions have it; CI and TERM=dumb mean plain text.
 */
export function usesColor(out: Writer, env: CommandContext['env']): boolean {
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined && forced !== '') return forced !== '0' && forced !== 'false';
  return out.isTTY && !env['NO_COLOR'] && !env['CI'] && env['TERM'] !== 'dumb';
}

/** How the lines of a log are written. */
export type LogFormat = 'text' | 'json';

/** The option of every command that keeps a log. */
export const logFormatOption: CommandOption = {
  flags: '--log-format <format>',
  summary: 'Lines of the log on stderr: text or json (default: text at a terminal, json elsewhere)',
  values: ['text', 'json'],
};

/** How a log is written to `out` unless somebody wishes otherwise: for a person at a terminal, for programs elsewhere. */
export function logFormatFor(out: Writer, wish: LogFormat | undefined): LogFormat {
  return wish ?? (out.isTTY ? 'text' : 'json');
}
