import { resolve } from 'node:path';
import type { CommandOption } from '../../command-line/command.ts';
import { declaredOption } from '../../command-line/declared.ts';

/** Options of `start` that were given to another command, as arguments for `start`. */
export interface StartArguments {
  arguments: string[];
  /** Options that name files or programs, with the absolute path. */
  paths: { flag: string; path: string }[];
}

/**
 * Reads them by their table: whatever `start` learns, a service can be told. Paths become absolute, because a service does not run
 * where it was installed.
 */
export function startArguments(
  table: readonly CommandOption[],
  values: Readonly<Record<string, unknown>>,
  { cwd, except = [] }: { cwd: string; except?: readonly string[] },
): StartArguments {
  const found: StartArguments = { arguments: [], paths: [] };
  for (const option of table) {
    const { long, name, placeholder } = declaredOption(option);
    const flag = `--${long}`;
    const value = values[name];
    if (value === undefined || value === false || except.includes(flag)) continue;
    if (value === true) {
      found.arguments.push(flag);
      continue;
    }
    for (const text of [value].flat().map(String)) {
      const isPath = /^(file|path|folder)$/.test(placeholder ?? '');
      const written = isPath ? resolve(cwd, text) : text;
      if (isPath) found.paths.push({ flag, path: written });
      found.arguments.push(flag, written);
    }
  }
  return found;
}
