/** Who called this program, and how. */
interface Caller {
  /** The path it was called by. */
  program: string;
  isRoot: boolean;
  isRootAllowed: boolean;
}

/** What a person who has just paired this machine types next. `start` refuses root, and what npx called is in no PATH. */
export function nextStep({ program, isRoot, isRootAllowed }: Caller): string {
  const isOnPath = !/[\\/](_npx|node_modules[\\/]\.bin)[\\/]/.test(program);
  const qualinet = isOnPath ? 'qualinet' : 'npx @qualitas-id/qualinet';
  if (!isRoot || isRootAllowed) return `Next: ${qualinet} start`;
  const install = isOnPath ? '' : 'npm install --global @qualitas-id/qualinet && ';
  return [
    `Next: ${install}qualinet service install`,
    '      (you are root: it gives the runner a user of its own, and this pairing to that user)',
    `  or, in a container that is thrown away afterwards: ${qualinet} start --allow-root`,
  ].join('\n');
}
