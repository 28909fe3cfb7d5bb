import { jsonLog, type Log, type LogLevel } from '../lib/log.ts';
import { type LogFormat, logFormatFor } from './appearance.ts';
import type { CommandContext } from './command.ts';
import { peopleLog } from './people-log.ts';

/** A log, and whether people read it: they want less of it. */
export interface OpenLog {
  log: Log;
  isForPeople: boolean;
}

/** The log of a command that stays, on stderr, in the format that was wished for or fits the stream. */
export function openLog(
  context: Pick<CommandContext, 'stderr' | 'env'>,
  { format, level = 'info' }: { format: LogFormat | undefined; level?: LogLevel },
): OpenLog {
  const isForPeople = logFormatFor(context.stderr, format) === 'text';
  const log = isForPeople
    ? peopleLog(context, level)
    : jsonLog((line) => context.stderr.write(line), { level });
  return { log, isForPeople };
}
