import { errorText } from '../lib/errors.ts';
import type { Log, LogFields } from '../lib/log.ts';
import { withoutStatement } from './db/database.ts';

/** A log in which errors are text: of a failed statement its cause alone, because the error also holds what flows type. */
export function bridgeLog(log: Log): Log {
  return {
    debug: (message, fields, brief) => log.debug(message, asTexts(fields), brief),
    info: (message, fields, brief) => log.info(message, asTexts(fields), brief),
    warn: (message, fields, brief) => log.warn(message, asTexts(fields), brief),
    error: (message, fields, brief) => log.error(message, asTexts(fields), brief),
  };
}

function asTexts(fields: LogFields = {}): LogFields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      value instanceof Error ? errorText(withoutStatement(value)) : value,
    ]),
  );
}
