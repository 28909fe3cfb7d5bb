import type { ZodType, z } from 'zod';
import { camelCased } from '../../lib/camel-cased.ts';
import { UsageError } from '../../lib/errors.ts';

/** Variables of a process by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Options of the command line by camel-cased name, as they were typed: `{ allowHost: ['a', 'b'] }`. Other names are ignored. */
export type Flags = Readonly<Record<string, unknown>>;

/** One thing the runner can be told, and everywhere it may be told from. A flag stands over a variable. */
export interface Setting<Value = unknown> {
  /** Variables that are looked up, the first that is there counts. */
  readonly variables: readonly string[];
  /** The long option, as `--allow-host`; undefined for what a command line must not hold, or need not. */
  readonly flag?: string;
  /** One sentence for `qualinet help` and the documents: what it is, unit and default. */
  readonly summary: string;
  /** Reads what was written; `undefined` when nothing was. An option that was repeated comes joined by commas. */
  readonly value: ZodType<Value, string | undefined>;
}

/** Settings by the name they have in the configuration. */
export type Settings = Readonly<Record<string, Setting>>;

/** What a table of settings is read to. */
export type ValuesOf<Table extends Settings> = {
  readonly [Name in keyof Table]: z.output<Table[Name]['value']>;
};

/** Gives a setting whose value is typed by its schema. */
export function setting<Value>(row: Setting<Value>): Setting<Value> {
  return row;
}

/** Reads all settings of a table. Throws UsageError with every problem at once, each naming its variable and flag. */
export function readSettings<Table extends Settings>(
  table: Table,
  env: Environment,
  flags: Flags,
): ValuesOf<Table> {
  const problems: string[] = [];
  const values = Object.entries(table).map(([name, row]) => {
    const parsed = row.value.safeParse(written(row, env, flags));
    for (const { message } of parsed.error?.issues ?? []) problems.push(`${sourceOf(row)}: ${message}`);
    return [name, parsed.data];
  });
  if (problems.length > 0) {
    throw new UsageError('the configuration is wrong', { problems, hint: 'Run: qualinet help environment' });
  }
  return Object.fromEntries(values) as ValuesOf<Table>;
}

/** `API_BASE_URL (--api)`: where a setting comes from, for messages. */
function sourceOf({ variables, flag }: Pick<Setting, 'variables' | 'flag'>): string {
  const variable = variables.at(-1);
  if (variable === undefined) return flag ?? '';
  return flag === undefined ? variable : `${variable} (${flag})`;
}

function written({ variables, flag }: Setting, env: Environment, flags: Flags): string | undefined {
  const given = flag === undefined ? undefined : flags[camelCased(flag)];
  if (typeof given === 'boolean') return given ? 'true' : undefined;
  if (Array.isArray(given) && given.length > 0) return given.join(',');
  if (typeof given === 'string') return given;
  return variables.map((name) => env[name]).find((text) => text !== undefined);
}
