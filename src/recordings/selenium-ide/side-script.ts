import { parse } from 'acorn';

/** What `${name}` in a script stands for, as JavaScript; null leaves it as it is written. */
export type ReferenceInScript = (name: string) => string | null;

/**
 * A script of a command as our steps run it, with `variables["x"]` for `${x}`. Within a text in quotes it is joined to the text. A
 * literal `\n` between two statements is a line break, as in the IDE; within quotes it is JavaScript's own.
 */
export function translateScript(script: string, reference: ReferenceInScript): string {
  const source = script.trim();
  let out = '';
  let state: 'code' | 'line comment' | 'block comment' | 'regex' | '"' | "'" | '`' = 'code';
  let isInClass = false;
  for (let at = 0; at < source.length; ) {
    const rest = source.slice(at, at + 300);
    const found = /^\$\{(.*?)\}/.exec(rest);
    const written = found?.[1] === undefined ? null : reference(found[1]);
    const char = source[at] ?? '';
    if (found !== null && written !== null) {
      if (state === '"' || state === "'") out += `${state} + ${written} + ${state}`;
      else if (state === '`') out += `\${${written}}`;
      else out += written;
      at += found[0].length;
      continue;
    }
    if (state === 'code' && rest.startsWith('\\n')) {
      out += '\n';
      at += 2;
      continue;
    }
    if (char === '\\' && state !== 'code' && state !== 'line comment' && state !== 'block comment') {
      out += rest.slice(0, 2);
      at += 2;
      continue;
    }
    if (state === 'code') {
      if (rest.startsWith('//')) state = 'line comment';
      else if (rest.startsWith('/*')) state = 'block comment';
      else if (char === '/' && mayBeginRegex(out)) state = 'regex';
      else if (char === '"' || char === "'" || char === '`') state = char;
    } else if (state === 'line comment') {
      if (char === '\n') state = 'code';
    } else if (state === 'block comment') {
      if (char === '/' && out.endsWith('*')) state = 'code';
    } else if (state === 'regex') {
      if (char === '[') isInClass = true;
      else if (char === ']') isInClass = false;
      else if ((char === '/' && !isInClass) || char === '\n') state = 'code';
    } else if (char === state || (char === '\n' && state !== '`')) {
      state = 'code';
    }
    out += char;
    at += 1;
  }
  return out;
}

/** A condition as an expression: without a `return` in front and a semicolon behind. */
export function asExpression(script: string): string {
  return script
    .trim()
    .replace(/^return\b\s*/, '')
    .replace(/[;\s]+$/, '');
}

/** The body of a function that returns what its last statement gives, where it is an expression. The rest stays as it is. */
export function returningLast(script: string): string {
  try {
    const { body } = parse(script, {
      ecmaVersion: 'latest',
      allowReturnOutsideFunction: true,
      allowAwaitOutsideFunction: true,
    });
    const last = body.at(-1);
    if (last?.type !== 'ExpressionStatement') return script;
    return `${script.slice(0, last.start)}return ${script.slice(last.start)}`;
  } catch {
    return script;
  }
}

/** True where a slash begins a regular expression and does not divide. */
function mayBeginRegex(before: string): boolean {
  return /(^|[(,=:[!&|?{};+\-*%<>~^\n]|\b(return|typeof|case|in|of))\s*$/.test(before);
}
