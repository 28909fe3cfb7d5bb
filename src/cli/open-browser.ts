import type { EngineConfig } from '../agent/config/agent-config.ts';
import type { LocalPolicy } from '../agent/policy/local-policy.ts';
import type { BrowserChoice } from '../browser/find-browser.ts';
import type { BrowserWatcher } from '../browser/launch-chromium.ts';
import { launchBrowser, type WarmBrowser } from '../browser/warm-browser.ts';
import type { CommandContext } from '../command-line/command.ts';
import type { Log } from '../lib/log.ts';
import { chooseBrowser } from './choose-browser.ts';
import { browserHoldFor } from './hold-browser.ts';
import { type FlowChooser, networkOptions, networkSummary } from './network-options.ts';

/** A browser that takes runs, and why it is this one. */
export interface OpenBrowser {
  choice: BrowserChoice;
  warm: WarmBrowser;
  /** What flows may reach, for people. */
  network: string;
}

/**
 * Finds and starts the browser that executes flows here, held by the rules of this machine's configuration.
 * Throws EnvironmentError that says how to get one, or why it does not start.
 */
export async function openBrowser({
  config,
  chooser,
  policy,
  headed,
  log,
  context,
  watcher,
  ownPorts = () => [],
}: {
  config: EngineConfig;
  /** Who chooses the flows. */
  chooser: FlowChooser;
  /** What this machine's owner lets them do; null for no such rules. */
  policy: LocalPolicy | null;
  headed: boolean;
  log: Log;
  context: CommandContext;
  watcher?: BrowserWatcher;
  /** Ports on which this runner listens; no flow reaches them. */
  ownPorts?: () => readonly number[];
}): Promise<OpenBrowser> {
  const { browserPath, home } = config;
  const choice = await chooseBrowser({ browserPath, headed, home }, { env: context.env, log });
  const network = networkOptions(config, chooser, policy);
  const warm = await launchBrowser({
    choice,
    headed,
    log,
    network: { ...network, ownPorts },
    env: context.env,
    certificates: config.proxy.extraCas?.certificates ?? [],
    ...browserHoldFor(chooser),
    ...(watcher === undefined ? {} : { watcher }),
  });
  return { choice, warm, network: networkSummary(network) };
}
