import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { errorText, UsageError } from '../lib/errors.ts';
import type { CommandContext } from './command.ts';

/** What a command takes as a file. */
export interface InputFile {
  /** For messages: `flow file`. */
  what: string;
  maxBytes: number;
  /** The error for one that has more; `bytes` may be only as far as it was read. */
  tooLarge(path: string, bytes: number): Error;
}

/** The text of a file named on the command line; `-` is standard input. Never reads much more than `maxBytes`. Throws UsageError. */
export async function readInputFile(
  path: string,
  { what, maxBytes, tooLarge }: InputFile,
  { cwd, stdin }: Pick<CommandContext, 'cwd' | 'stdin'>,
): Promise<string> {
  if (path === '-') return readLimited(stdin, maxBytes, (bytes) => tooLarge('standard input', bytes));
  const absolute = resolve(cwd, path);
  const entry = await stat(absolute).catch((error: unknown) => {
    throw cannotRead(what, path, error);
  });
  if (entry.size > maxBytes) throw tooLarge(path, entry.size);
  return readFile(absolute, 'utf8').catch((error: unknown) => {
    throw cannotRead(what, path, error);
  });
}

async function readLimited(
  stream: NodeJS.ReadableStream,
  maxBytes: number,
  tooLarge: (bytes: number) => Error,
): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    const buffer = Buffer.from(chunk);
    bytes += buffer.length;
    if (bytes > maxBytes) throw tooLarge(bytes);
    chunks.push(buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function cannotRead(what: string, path: string, cause: unknown): UsageError {
  return new UsageError(`cannot read the ${what} ${path}: ${errorText(cause)}`, {
    hint: 'Check the path; a lone - reads standard input.',
    cause,
  });
}
