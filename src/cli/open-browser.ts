import type { EngineConfig } from '../agent/config/agent-config.ts';
import type { NetworkOptions } from '../browser/egress/egress-proxy.ts';
import type { BrowserChoice } from '../browser/install/find-browser.ts';
import type { BrowserWatcher } from '../browser/launch-chromium.ts';
import { launchBrowser, type WarmBrowser } from '../browser/warm-browser.ts';
import type { CommandContext } from '../command-line/command.ts';
import type { Log } from '../lib/log.ts';
import { chooseBrowser } from './choose-browser.ts';
import { browserHoldFor } from './hold-browser.ts';
import type { FlowChooser } from './network-options.ts';

/** A browser that takes runs, and why it is this one. */
export interface OpenBrowser {
  choice: BrowserChoice;
  warm: WarmBrowser;
}

/**
 * Finds and starts the browser that executes flows here, whose flows reach what `network` lets them.
 * Throws EnvironmentError that says how to get one, or why it does not start.
 */
export async function openBrowser({
  config,
  chooser,
  network,
  headed,
  log,
  context,
  watcher,
}: {
  config: EngineConfig;
  /** Who chooses the flows. */
  chooser: FlowChooser;
  network: NetworkOptions;
  headed: boolean;
  log: Log;
  context: CommandContext;
  watcher?: BrowserWatcher;
}): Promise<OpenBrowser> {
  const { browserPath, home } = config;
  const choice = await chooseBrowser({ browserPath, headed, home }, { env: context.env, log });
  const warm = await launchBrowser({
    choice,
    headed,
    log,
    network,
    env: context.env,
    certificates: config.proxy.extraCas?.certificates ?? [],
    ...browserHoldFor(chooser),
    ...(watcher === undefined ? {} : { watcher }),
  });
  return { choice, warm };
}
