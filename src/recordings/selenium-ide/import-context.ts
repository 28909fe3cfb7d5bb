import { NotKept } from './not-kept.ts';
import type { SideProject } from './side-project.ts';
import { asExpression, translateScript } from './side-script.ts';
import { bareName, sideReference, type VariableNames } from './variable-names.ts';

/** What the rules for commands know of the project, and where they tell what a reader should know. */
export interface ImportContext {
  /** A text with `${x}` as `{{x}}`, trimmed, and with the IDE's `\n`, `\r` and `\\` resolved. */
  text(written: string): string;
  /** A text that stays what it is, whatever stands in it. */
  literal(text: string): string;
  /** A script with `${x}` as `variables["x"]`. */
  script(written: string): string;
  /** A condition as an expression. Throws NotKept where there is none. */
  condition(written: string): string;
  /** The name that a command gives to a variable. Throws NotKept where it names none. */
  variable(written: string): string;
  /** The one fixed text that `${x}` holds, where the whole text is that; else the text itself. */
  resolved(written: string): string;
  /** The address that `open` goes to. Throws NotKept for what no browser step opens. */
  address(written: string): string;
  /** The name of the window that `handle=${x}` stands for. */
  windowName(written: string): string;
  /** True when a text reads the variable. */
  isRead(variable: string): boolean;
  note(text: string): void;
}

/** Names of variables that an import adds to a flow. */
export interface AddedVariables {
  /** Where the addresses of the project begin: scheme, host and port. */
  readonly baseUrl: string;
  /** Two opening braces, for texts that have them and mean nothing by them. */
  readonly braces: string;
}

/** The context for one test. */
export function createImportContext(
  { url }: Pick<SideProject, 'url'>,
  names: VariableNames,
  added: AddedVariables,
  note: (text: string) => void,
): ImportContext {
  const told = new Set<string>();
  const known = (name: string): string | null => {
    const ours = names.ours(name);
    if (ours !== null) return ours;
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || name.startsWith('KEY_')) return null;
    if (!told.has(name))
      note(`the variable ${name} is set by no command of the project; give it with --var ${name}=…`);
    told.add(name);
    return name;
  };
  const literal = (written: string): string =>
    written.replace(/\{\{(?=\s*[A-Za-z_][\w.-]*\s*\}\})/g, `{{${added.braces}}}`);
  const text = (written: string): string =>
    literal(written.trim())
      .replace(/\\(\\|n|r)/g, (_, escaped: string) => ({ n: '\n', r: '\r' })[escaped] ?? '\\')
      .replace(sideReference, (whole, name: string) => {
        if (name === 'nbsp') return '\u{a0}';
        const ours = known(name);
        return ours === null ? whole : `{{${ours}}}`;
      });
  const script = (written: string): string =>
    translateScript(literal(written), (name) => {
      const ours = known(name);
      return ours === null ? null : `variables[${JSON.stringify(ours)}]`;
    });
  return {
    text,
    literal,
    script,
    condition(written) {
      const expression = asExpression(script(written));
      if (expression === '') throw new NotKept('it has no condition');
      return expression;
    },
    variable(written) {
      const name = bareName(written);
      if (name === '') throw new NotKept('it names no variable');
      const ours = names.ours(name) ?? name;
      if (!/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(ours)) throw new NotKept(`"${name}" is no name for a variable`);
      return ours;
    },
    resolved(written) {
      const name = /^\s*\$\{([^}]*)\}\s*$/.exec(written)?.[1];
      return (name === undefined ? null : names.fixedText(name)) ?? written;
    },
    address: (written) => addressOf(text(written), url, written, { names, added, note }),
    windowName(written) {
      const name = bareName(written);
      return /^(main|latest|current|\d+)$/.test(name) ? `window-${name}` : name.slice(0, 100);
    },
    isRead: names.isRead,
    note,
  };
}

function addressOf(
  target: string,
  base: string,
  written: string,
  { names, added, note }: { names: VariableNames; added: AddedVariables; note: (text: string) => void },
): string {
  if (/^https?:\/\//i.test(target) || target === 'about:blank') return target;
  const variable = /^\$\{([^}]*)\}/.exec(written.trim())?.[1];
  if (variable !== undefined) {
    const held = names.fixedText(variable);
    if (held === null) note(`${written} must hold a whole address, with http:// or https://`);
    if (held === null || /^https?:\/\//i.test(held)) return target;
    return `{{${added.baseUrl}}}${held.startsWith('/') ? '' : '/'}${target}`;
  }
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(target)?.[1];
  if (scheme !== undefined && !/^[^/:]+:\d+(\/|$)/.test(target)) {
    throw new NotKept(`${scheme}: addresses are not opened, only http: and https:`);
  }
  if (target.startsWith('//')) return `${URL.canParse(base) ? new URL(base).protocol : 'https:'}${target}`;
  const start = `{{${added.baseUrl}}}`;
  const path = URL.canParse(base) ? new URL(base) : new URL('http://localhost/');
  if (target === '') return `${start}${path.pathname}${path.search}`;
  if (target.startsWith('/')) return `${start}${target}`;
  if (target.includes('{{') || !URL.canParse(target, path)) {
    return `${start}${path.pathname.replace(/[^/]*$/, '')}${target}`;
  }
  const whole = new URL(target, path);
  return `${start}${whole.pathname}${whole.search}${whole.hash}`;
}
