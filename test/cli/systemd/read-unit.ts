/** Directives of a unit in order, as `[section, key, value]`. Throws for a line that is none. */
export function readUnit(text: string): { section: string; key: string; value: string }[] {
  let section = '';
  return text.split('\n').flatMap((line) => {
    if (line === '' || line.startsWith('#')) return [];
    const header = /^\[(.+)\]$/.exec(line)?.[1];
    if (header !== undefined) {
      section = header;
      return [];
    }
    const [, key, value] = /^([A-Za-z]+)=(.*)$/.exec(line) ?? [];
    if (key === undefined || value === undefined || section === '') throw new Error(`no directive: ${line}`);
    return [{ section, key, value }];
  });
}

/** The words of a value by systemd's rules of quoting: systemd.syntax(7). Specifiers and, if asked, variables are unescaped; others throw. */
export function wordsOf(value: string, { variables = false } = {}): string[] {
  const words: string[] = [];
  const pattern = /\s*(?:"((?:[^"\\]|\\.)*)"|([^\s"'\\;]+))(?=\s|$)/gy;
  while (pattern.lastIndex < value.length) {
    const match = pattern.exec(value);
    if (match === null) throw new Error(`no word at the end of: ${value}`);
    const raw = match[1] === undefined ? (match[2] ?? '') : match[1].replace(/\\(.)/g, '$1');
    words.push(unescaped(raw, variables && words.length > 0));
  }
  return words;
}

function unescaped(raw: string, variables: boolean): string {
  return raw.replace(/%%|%|\$\$|\$/g, (found) => {
    if (found === '%%') return '%';
    if (found === '%') throw new Error(`a specifier: ${raw}`);
    if (!variables) return found;
    if (found === '$') throw new Error(`a variable: ${raw}`);
    return '$';
  });
}
