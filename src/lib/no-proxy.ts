import { type HostPattern, parseHostPattern } from './host-pattern.ts';

/**
 * Reads what `NO_PROXY` says: hosts that are reached without a proxy, separated by commas or spaces. A name stands for itself and all
 * names below it, with or without a dot or `*.` in front; addresses and networks (`10.0.0.0/8`, `[fd00::]/8`) for what is
 * written as an address, because no name is looked up; `*` for everything; a port behind any of them narrows it.
 * Other programs read the same variable, so what cannot be understood is passed over.
 */
export function parseNoProxy(text: string): (host: string, port: number) => boolean {
  const patterns = text
    .split(/[,\s]+/)
    .filter((entry) => entry !== '')
    .flatMap((entry) => {
      const bare = entry.replace(/^\*?\./, '');
      return [bare, `*.${bare}`].flatMap(patternOf);
    });
  return (host, port) => patterns.some((pattern) => pattern.matchesHost(host, port));
}

function patternOf(text: string): HostPattern[] {
  try {
    return [parseHostPattern(text)];
  } catch {
    return [];
  }
}
