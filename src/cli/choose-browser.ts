import { type BrowserChoice, findBrowser } from '../browser/install/find-browser.ts';
import { loadPlaywright } from '../browser/install/load-playwright.ts';
import type { CommandContext } from '../command-line/command.ts';
import { EnvironmentError } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';

/** What decides the browser of a command. */
export interface BrowserWish {
  /** `--browser`, else QUALINET_BROWSER; null for whatever is found. */
  browserPath: string | null;
  headed: boolean;
  /** The runner's home. */
  home: string;
}

/** The browser this command runs on; its warning is told. Throws EnvironmentError that says how to get one. */
export async function chooseBrowser(
  { browserPath, headed, home }: BrowserWish,
  { env, log }: Pick<CommandContext, 'env'> & { log: Log },
): Promise<BrowserChoice> {
  const say = (line: string): void => log.info(line);
  const choice = await findBrowser(
    { browserPath: browserPath ?? undefined, headed, home, env },
    // Loading Playwright takes 200 ms of one processor, while the browser that is asked has the other.
    { say, meanwhile: () => void loadPlaywright() },
  );
  if (choice === null) {
    throw new EnvironmentError(
      headed
        ? 'no full Chromium or Chrome was found; a window needs one'
        : 'no Chromium was found on this machine',
      { hint: 'Get one with: qualinet install-browser (or name one: QUALINET_BROWSER=/path/to/chromium)' },
    );
  }
  if (choice.warning !== undefined) log.warn(choice.warning);
  return choice;
}
