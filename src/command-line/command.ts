import type { ZodType } from 'zod';
import type { Redactor } from '../lib/redactor.ts';

/** What a command may touch besides its arguments; tests give their own. */
export interface CommandContext {
  /** The environment of the process; a command hands it to its program's config file, nothing else reads it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Results: what a program downstream reads. */
  readonly stdout: Writer;
  /** Talk: progress, warnings, errors. */
  readonly stderr: Writer;
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  /** Subscribes to SIGINT/SIGTERM until the returned function is called. */
  onSignal(listener: (signal: 'SIGINT' | 'SIGTERM') => void): () => void;
  /** From now on nothing that this process writes to its streams holds a secret, and no error it ends by. */
  useRedactor(redactor: Redactor): void;
  /** Ends the process at once with this code (third signal). */
  exit(code: number): never;
  /** Makes `path` the folder for temporary files of this process and of those it starts, until the returned function is called. */
  useTempFolder(path: string): () => void;
}

/** Something to write text to. */
export interface Writer {
  write(text: string): void;
  readonly isTTY: boolean;
}

/** One option of a command as it stands in the table. */
export interface CommandOption {
  /** `--json`, or with a value `--var <name=value>`. Shells complete paths for `<file>`, `<path>` and `<folder>`. */
  readonly flags: string;
  /** One letter that stands for it: `o` for `-o`. */
  readonly short?: string;
  readonly summary: string;
  /** True for an option that may be given more than once; its value is then always a list. */
  readonly repeatable?: boolean;
  /** All values there are, where they are few: shells complete them, and any other is refused. */
  readonly values?: readonly string[];
}

/** One line of a command table. Importing this line loads nothing of the command. */
export interface CommandEntry {
  readonly name: string;
  /** Positional arguments: `<flow>` for a needed one, `[code]` for another, `<flow...>` for one or more. Shells complete paths for `<flow>`. */
  readonly usage: string;
  /** All words that the first argument may be, as the actions of `service`: shells complete them, and any other is refused. */
  readonly actions?: readonly string[];
  readonly summary: string;
  /** Heading under which the root help lists it. */
  readonly group: string;
  readonly options: readonly CommandOption[];
  readonly examples: readonly string[];
  /** Exit codes this command can end with, besides 64 and 70, which every command can. */
  readonly exitCodes: readonly number[];
  load(): Promise<Command>;
}

/** A command's own module exports one of these. */
export interface Command<Options = unknown> {
  /** Parses what the command line gave: options by camel-cased name, positional arguments under `args`, all raw strings. */
  readonly options: ZodType<Options>;
  /** Runs it; the number is the exit code. Throws an ExpectedError for what a person can act on. */
  run(options: Options, context: CommandContext): Promise<number>;
}

/** Gives a Command whose options are typed by its schema. */
export function defineCommand<Options>(command: Command<Options>): Command<Options> {
  return command;
}

/** A text of `help <topic>`. */
export interface HelpTopic {
  readonly name: string;
  readonly summary: string;
  load(): Promise<string>;
}

/** A whole program: its name, what it is for, and its table. */
export interface Program {
  readonly name: string;
  readonly summary: string;
  readonly commands: readonly CommandEntry[];
  /** Two or three command lines that show how one starts. */
  readonly examples: readonly string[];
  /** What `help` tells besides the commands. */
  readonly topics: readonly HelpTopic[];
}
