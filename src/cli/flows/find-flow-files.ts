import { stat } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { errorText, UsageError } from '../../lib/errors.ts';

/** A file that may hold flows. */
export interface FlowFilePath {
  /** As people are told of it: relative to where they are. `-` for standard input. */
  path: string;
  /** False for one that lies in a folder that was named: it may be something else. */
  isNamed: boolean;
}

/** What the arguments of `run` name. */
export interface FlowFiles {
  files: FlowFilePath[];
  /** True for one path that is a file, or standard input: there is one flow to tell of. */
  isSingle: boolean;
}

/** Files in a folder that flows and recordings are in. */
const inFolders = ['**/*.json', '**/*.jsonl', '**/*.side'];
/** Where no flows of one's own are. */
const never = ['**/node_modules/**', '**/.*/**'];

/**
 * The files that paths, folders and patterns name, each once, those of a folder or pattern in the order of their names.
 * Throws UsageError for what names none.
 */
export async function findFlowFiles(args: readonly string[], cwd: string): Promise<FlowFiles> {
  const found = new Map<string, FlowFilePath>();
  let isSingle = args.length === 1;
  for (const arg of args) {
    const entry = arg === '-' ? null : await stat(resolve(cwd, arg)).catch(() => null);
    if (entry?.isDirectory() === true) {
      isSingle = false;
      await add(arg, { patterns: inFolders, folder: resolve(cwd, arg), isNamed: false });
    } else if (entry === null && arg !== '-' && (await import('tinyglobby')).isDynamicPattern(arg)) {
      isSingle = false;
      await add(arg, { patterns: [arg], folder: cwd, isNamed: true });
    } else {
      keep({ path: arg, isNamed: true });
    }
  }
  return { files: [...found.values()], isSingle };

  async function add(
    arg: string,
    { patterns, folder, isNamed }: { patterns: string[]; folder: string; isNamed: boolean },
  ): Promise<void> {
    const options = { cwd: folder, ignore: never, absolute: false, expandDirectories: false };
    // Only who names more than files needs it.
    const { glob } = await import('tinyglobby');
    const paths = await glob(patterns, options).catch((error: unknown) => {
      throw new UsageError(`cannot look for flows in ${arg}: ${errorText(error)}`);
    });
    if (paths.length === 0) {
      throw new UsageError(`there are no flows in ${arg}`, {
        hint: 'Name a file, a folder that has .json or .side files in it, or a pattern in quotes: "flows/**/*.json"',
      });
    }
    for (const path of paths.sort()) {
      keep({ path: relative(cwd, join(folder, path)), isNamed });
    }
  }

  /** However it is written: `./a.json` is `a.json`. What is named stays named. */
  function keep(file: FlowFilePath): void {
    const key = file.path === '-' ? '-' : resolve(cwd, file.path);
    const before = found.get(key);
    if (before === undefined) found.set(key, file);
    else if (file.isNamed) before.isNamed = true;
  }
}
