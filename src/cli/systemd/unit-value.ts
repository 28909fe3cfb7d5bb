// How values are written so that systemd reads back what was meant. Source: systemd.syntax(7), systemd.service(5),
// systemd.exec(5), and what `systemd-analyze` of version 252 parsed.

/** The program of `ExecStart=`. Unlike its arguments it knows no variables, so that a dollar stays one. */
export function execProgram(path: string): string {
  return quoted(path.replace(/%/g, '%%'));
}

/** An argument of `ExecStart=`: variables and specifiers are not expanded in it. */
export function execArgument(text: string): string {
  return quoted(text.replace(/%/g, '%%').replace(/\$/g, '$$$$'));
}

/** `NAME=value` of `Environment=`. */
export function environmentValue(name: string, value: string): string {
  return quoted(`${name}=${value}`.replace(/%/g, '%%'));
}

/** A path that stands alone to the end of its line, as in `LoadCredential=name:path` and `EnvironmentFile=-path`: nothing is quoted there. */
export function barePath(path: string): string {
  return path.replace(/%/g, '%%');
}

/** A line of an environment file. Nothing is expanded there, and an escape is kept unless it is one of a shell's. */
export function environmentFileLine(name: string, value: string): string {
  return `${name}="${value.replace(/["\\`$]/g, (char) => `\\${char}`)}"\n`;
}

/** True for what a unit can hold: no line breaks, no other control characters. */
export function isUnitText(text: string): boolean {
  return !/\p{Cc}/u.test(text);
}

function quoted(text: string): string {
  if (/^[A-Za-z0-9_./:,=@%+$*-]+$/.test(text)) return text;
  return `"${text.replace(/[\\"]/g, (char) => `\\${char}`)}"`;
}
