import type { BrowserMachine } from './browser-machine.ts';
import { programFailure, runBrowserProgram } from './run-browser-program.ts';

/** Whether a browser starts: its version (null where the system gives no cheap way to ask), or why it does not. */
export type BrowserCheck = { starts: true; version: string | null } | { starts: false; reason: string };

/**
 * Starts a browser with `--version`. A missing shared library, the wrong architecture and a program that is no
 * browser all show here, long before the first run would fail on them.
 */
export async function checkBrowser(
  path: string,
  extraEnv: Readonly<Record<string, string>>,
  machine: BrowserMachine,
): Promise<BrowserCheck> {
  // On Windows `chrome.exe --version` prints nothing and opens a window.
  if (machine.platform === 'win32') return { starts: true, version: null };
  const limitMs = machine.limits.checkMs;
  const ending = runBrowserProgram(path, ['--version'], { env: { ...machine.env, ...extraEnv }, limitMs });
  machine.meanwhile();
  const end = await ending;
  if (end.how !== 'exited' || end.code !== 0) return { starts: false, reason: programFailure(end, limitMs) };
  const version = /\d+\.\d+\.\d+(\.\d+)?/.exec(end.output)?.[0];
  if (version === undefined || !/chrom|edge|brave|headless/i.test(end.output)) {
    const said = end.output.trim().split('\n')[0]?.slice(0, 100) ?? '';
    return { starts: false, reason: `it is no Chromium: its --version says "${said}"` };
  }
  return { starts: true, version };
}
