/** How one unit (a Recorder flow, a test of a project) ended for one runner. */
export interface Verdict {
  readonly unit: string;
  readonly passed: boolean;
  /** What the runner said was wrong, on one line; empty where it passed. */
  readonly error: string;
}

/** The first lines of what a runner said, without colours, on one line. */
export function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with an escape.
  const plain = text.replace(/\u001b\[[0-9;]*m/g, '');
  return plain
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('at '))
    .join(' ')
    .slice(0, 300);
}
