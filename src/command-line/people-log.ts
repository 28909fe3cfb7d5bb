import { inspect, styleText } from 'node:util';
import { type ConsolaReporter, createConsola } from 'consola/core';
import type { Log, LogFields, LogLevel } from '../lib/log.ts';
import { printable } from '../lib/printable.ts';
import { usesColor } from './appearance.ts';
import type { CommandContext } from './command.ts';

// consola's own numbers.
const levels: Record<LogLevel, number> = { error: 0, warn: 1, info: 3, debug: 4 };

const styles: Readonly<Record<string, Parameters<typeof styleText>[0]>> = {
  warn: 'yellow',
  error: 'red',
  debug: 'dim',
};

/**
 * A log for a person at a terminal, on stderr: `12:04:31 warning: message key=value`. A Secret prints as `<redacted>`.
 * The reporter is ours because consola's own decide about colours by the process's stdout, which is for results.
 */
export function peopleLog(
  { stderr, env }: Pick<CommandContext, 'stderr' | 'env'>,
  level: LogLevel = 'info',
): Log {
  const colors = usesColor(stderr, env);
  const reporter: ConsolaReporter = {
    log({ type, date, args }) {
      const mark = type === 'warn' ? 'warning: ' : type === 'error' ? 'error: ' : '';
      const style = styles[type];
      const text = `${mark}${args.join(' ')}`;
      const styled = colors && style !== undefined ? styleText(style, text, { validateStream: false }) : text;
      stderr.write(`${date.toTimeString().slice(0, 8)} ${styled}\n`);
    },
  };
  const consola = createConsola({ level: levels[level], reporters: [reporter], throttle: 0 });
  return {
    debug: (...said) => consola.debug(line(...said)),
    info: (...said) => consola.info(line(...said)),
    warn: (...said) => consola.warn(line(...said)),
    error: (...said) => consola.error(line(...said)),
  };
}

function line(message: string, fields: LogFields = {}, brief: readonly string[] | null = null): string {
  const rest = Object.entries(fields)
    .filter(([key, value]) => brief === null || (brief.includes(key) && value !== null))
    .map(
      ([key, value]) =>
        `${key}=${typeof value === 'string' ? value : inspect(value, { breakLength: Infinity })}`,
    );
  return printable([message, ...rest].join(' '));
}
