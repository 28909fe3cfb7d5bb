import type { CommandContext, Writer } from './command.ts';

/**
 * True when colours and symbols may be written to `out`: a terminal that can show them and no wish against it.
 * NO_COLOR and FORCE_COLOR as those conventions have it; CI and TERM=dumb mean plain text.
 */
export function usesColor(out: Writer, env: CommandContext['env']): boolean {
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined && forced !== '') return forced !== '0';
  return out.isTTY && !env['NO_COLOR'] && !env['CI'] && env['TERM'] !== 'dumb';
}
