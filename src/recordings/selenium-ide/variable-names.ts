import { variableName } from '../../lib/variable-name.ts';
import type { SideCommand, SideProject } from './side-project.ts';

/** The variables of a project, under names that our flows may have. */
export interface VariableNames {
  /** Our name of a variable of the project; null where no command of the project sets it. */
  ours(written: string): string | null;
  /** What a variable holds that only ever gets one and the same fixed text; else null. */
  fixedText(written: string): string | null;
  /** True when a text or a script reads the variable; where a window is chosen does not count. */
  isRead(written: string): boolean;
  /** A name that no variable of the project has. */
  unused(wanted: string): string;
}

/**
 * What stands between the braces of every `${…}` in a text. No name is longer than this: without a bound, a text of nothing but
 * beginnings would be read to its end from each of them.
 */
export const sideReference = /\$\{(.{0,300}?)\}/g;

/** Collects the variables of all tests: a test may `run` another, which sets some for it. */
export function collectVariableNames(project: SideProject): VariableNames {
  const commands = project.tests.flatMap(({ commands }) => commands);
  const names = new Map<string, string>();
  const taken = new Set<string>();
  const stored = new Map<string, Set<string | null>>();
  for (const command of commands) {
    const written = variableSetBy(command);
    if (written === null) continue;
    if (!names.has(written)) names.set(written, free(validName(written), taken));
    const texts = stored.get(written) ?? new Set();
    texts.add(command.command === 'store' && !command.target.includes('${') ? command.target.trim() : null);
    stored.set(written, texts);
  }
  const read = new Set(
    commands
      .filter(({ command }) => command !== 'selectWindow')
      .flatMap(({ target, value }) =>
        [...`${target}\n${value}`.matchAll(sideReference)].map(([, name]) => name),
      ),
  );
  return {
    ours: (written) => names.get(written) ?? null,
    fixedText(written) {
      const texts = [...(stored.get(written) ?? [])];
      return texts.length === 1 ? (texts[0] ?? null) : null;
    },
    isRead: (written) => read.has(written),
    unused: (wanted) => free(wanted, new Set(taken)),
  };
}

/** The variable a command sets, if it does. */
function variableSetBy({ command, target, value, opensWindow }: SideCommand): string | null {
  if (opensWindow !== null) return opensWindow;
  const inTarget = ['storeWindowHandle', 'storeTitle'].includes(command);
  const inValue = /^(store|executeScript$|executeAsyncScript$|forEach$)/.test(command);
  const written = inTarget ? target.trim() || value.trim() : inValue ? value.trim() : '';
  return written === '' ? null : bareName(written);
}

/** The name in `name` or `${name}`. */
export function bareName(written: string): string {
  return /^\$\{(.*)\}$/.exec(written.trim())?.[1] ?? written.trim();
}

function validName(written: string): string {
  if (variableName.test(written)) return written;
  const cleaned = written.replace(/[^A-Za-z0-9_.-]/g, '_').slice(0, 90);
  return /^[A-Za-z_]/.test(cleaned) ? cleaned : `_${cleaned}`;
}

function free(wanted: string, taken: Set<string>): string {
  let name = wanted;
  for (let count = 2; taken.has(name); count += 1) name = `${wanted}_${count}`;
  taken.add(name);
  return name;
}
