import type { launchBrowser } from '../browser/warm-browser.ts';
import type { FlowChooser } from './network-options.ts';
import { isRootProcess } from './root-rule.ts';

/** How tight the browser is held, as launchBrowser takes it. */
type BrowserHold = Pick<Parameters<typeof launchBrowser>[0], 'sandbox' | 'runsPerBrowser'>;

/**
 * A managed runner serves people who must not meet: each run gets a process and a profile of its own, and a Chromium
 * that cannot have its sandbox is no browser. As root, which somebody allowed on purpose, there is none to have.
 */
export function browserHoldFor(chooser: FlowChooser, isRoot = isRootProcess()): BrowserHold {
  if (chooser !== 'managed') return {};
  return { runsPerBrowser: 1, sandbox: isRoot ? 'auto' : 'required' };
}
