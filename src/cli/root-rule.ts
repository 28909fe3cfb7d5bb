import { EnvironmentError } from '../lib/errors.ts';

/** Who this process is, as far as the rule about root asks. */
interface User {
  isRoot: boolean;
  isRootAllowed: boolean;
}

/**
 * As root a Chromium goes without its sandbox: one hostile page would own this machine. Throws EnvironmentError, unless
 * whoever started the runner says that it may.
 */
export function refuseRoot({ isRoot, isRootAllowed }: User): void {
  if (!isRoot || isRootAllowed) return;
  throw new EnvironmentError('the runner does not run as root: Chromium would have no sandbox', {
    hint: [
      'Run it as another user, or give it one of its own, to which the pairing of this machine moves: qualinet service install',
      'In a container that is thrown away afterwards: qualinet start --allow-root (or QUALINET_ALLOW_ROOT=true)',
    ].join('\n'),
  });
}

/** What a person who executes a flow of their own as root should know; null when there is nothing to say. */
export function rootWarning({ isRoot, isRootAllowed }: User): string | null {
  if (!isRoot || isRootAllowed) return null;
  return 'as root Chromium runs without its sandbox: open only sites you trust, or run this as another user (--allow-root silences this)';
}

/** True for a process of root. */
export function isRootProcess(): boolean {
  return process.getuid?.() === 0;
}
