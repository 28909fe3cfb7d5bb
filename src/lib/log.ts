/** Fields of a log line; a Secret among them prints as `<redacted>`. */
export type LogFields = Readonly<Record<string, unknown>>;

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/**
 * Where a program writes what it does. Messages are for people, fields for programs; of a line with many fields, a person
 * sees only those that `brief` names.
 */
export interface Log {
  debug(message: string, fields?: LogFields, brief?: readonly string[]): void;
  info(message: string, fields?: LogFields, brief?: readonly string[]): void;
  warn(message: string, fields?: LogFields, brief?: readonly string[]): void;
  error(message: string, fields?: LogFields, brief?: readonly string[]): void;
}

const rank: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 };

/** A log that writes one JSON object a line: `{"at","level","message",...fields}`. */
export function jsonLog(
  write: (line: string) => void,
  { level = 'info' as LogLevel, nowMs = Date.now } = {},
): Log {
  return logFrom(level, (at, message, fields) => {
    write(
      `${JSON.stringify({ at: new Date(nowMs()).toISOString(), level: at, message, ...serialisable(fields) })}\n`,
    );
  });
}

/** A log that keeps nothing. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };

function logFrom(level: LogLevel, emit: (at: LogLevel, message: string, fields: LogFields) => void): Log {
  const at =
    (own: LogLevel) =>
    (message: string, fields: LogFields = {}): void => {
      if (rank[own] >= rank[level]) emit(own, message, fields);
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

function serialisable(fields: LogFields): LogFields {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [key, value instanceof Error ? value.message : value]),
  );
}
