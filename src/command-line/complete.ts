import type { CommandEntry, CommandOption, Program } from './command.ts';
import { argumentAt, declaredArguments, declaredOption } from './declared.ts';

/** What may stand where the cursor is. */
export interface Completion {
  words: readonly { word: string; summary: string }[];
  /** What the shell completes besides, by itself. */
  paths: 'files' | 'folders' | 'none';
}

/**
 * Completes a command line. `typed` are the words after the program's name up to the cursor, the last one is being written and
 * may be empty.
 */
export function complete(program: Program, typed: readonly string[]): Completion {
  const before = typed.slice(0, -1);
  const current = typed.at(-1) ?? '';
  const [word, ...rest] = before.filter((text, index) => index > 0 || !text.startsWith('-'));
  const starting = (words: readonly { word: string; summary: string }[]): Completion => ({
    words: words.filter((candidate) => candidate.word.startsWith(current)),
    paths: 'none',
  });
  const commands = program.commands.map(named);
  if (word === undefined) {
    return starting([...commands, { word: 'help', summary: 'Explain a command or a topic' }, ...rootOptions]);
  }
  if (word === 'help') return starting(rest.length > 0 ? [] : [...commands, ...program.topics.map(named)]);
  const entry = program.commands.find(({ name }) => name === word);
  if (entry === undefined) return starting([]);

  const isLiteral = rest.includes('--');
  const waiting = isLiteral ? undefined : optionNamed(entry, rest.at(-1) ?? '');
  if (waiting !== undefined && declaredOption(waiting).placeholder !== null) {
    return valuesOf(waiting, current, '');
  }
  const [, flag = null] = /^(--[a-z-]+)=/.exec(current) ?? [];
  if (flag !== null && !isLiteral) {
    const option = optionNamed(entry, flag);
    return option === undefined ? starting([]) : valuesOf(option, current, `${flag}=`);
  }
  if (current.startsWith('-') && !isLiteral) {
    const free = entry.options.filter(
      (option) => option.repeatable === true || !rest.some((text) => optionNamed(entry, text) === option),
    );
    return starting([
      ...free.map((option) => ({ word: `--${declaredOption(option).long}`, summary: option.summary })),
      { word: '--help', summary: 'Show the help of this command' },
    ]);
  }
  return argumentOf(entry, rest, current);
}

const rootOptions = [
  { word: '--help', summary: 'Show all commands' },
  { word: '--version', summary: 'Show the version' },
];

function named({ name, summary }: { name: string; summary: string }) {
  return { word: name, summary };
}

/** The option that a word names, with or without its value. */
function optionNamed({ options }: CommandEntry, typed: string): CommandOption | undefined {
  const [flag] = typed.split('=');
  return options.find((option) => `--${declaredOption(option).long}` === flag || `-${option.short}` === flag);
}

function valuesOf(option: CommandOption, current: string, prefix: string): Completion {
  const { placeholder } = declaredOption(option);
  return {
    words: (option.values ?? [])
      .map((value) => ({ word: prefix + value, summary: '' }))
      .filter(({ word }) => word.startsWith(current)),
    paths: pathsFor(placeholder ?? ''),
  };
}

function argumentOf(entry: CommandEntry, rest: readonly string[], current: string): Completion {
  const given = rest.filter((text, index) => {
    const before = optionNamed(entry, rest[index - 1] ?? '');
    const isValue = before !== undefined && declaredOption(before).placeholder !== null;
    return !(text.startsWith('-') && text !== '-') && (!isValue || (rest[index - 1] ?? '').includes('='));
  });
  const words = given.length === 0 ? (entry.actions ?? []) : [];
  return {
    words: words.filter((word) => word.startsWith(current)).map((word) => ({ word, summary: '' })),
    paths: pathsFor(argumentAt(declaredArguments(entry), given.length)?.name ?? ''),
  };
}

function pathsFor(placeholder: string): Completion['paths'] {
  if (placeholder === 'folder') return 'folders';
  return ['file', 'path', 'flow'].includes(placeholder) ? 'files' : 'none';
}
