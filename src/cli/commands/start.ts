import * as z from 'zod';
import { type AgentDeps, runAgent, stopReasons } from '../../agent/agent.ts';
import { openStorage } from '../../agent/client/storage.ts';
import { watchedClient } from '../../agent/client/watched-client.ts';
import { type AgentConfig, readAgentConfig } from '../../agent/config/agent-config.ts';
import { connectBridge } from '../../agent/connect.ts';
import { type Credentials, newestKey, saveCredentials } from '../../agent/credentials/credentials.ts';
import { describeHost } from '../../agent/credentials/host.ts';
import { openHealth } from '../../agent/health/open-health.ts';
import { systemdNotify } from '../../agent/health/service-manager.ts';
import { ShutdownError } from '../../agent/lease/run-outcome.ts';
import type { EndOfLife } from '../../agent/life/flight-record.ts';
import { type ShutdownStep, watchSignals } from '../../agent/shutdown.ts';
import { tellLog } from '../../agent/tell-log.ts';
import { writableHome } from '../../agent/writable-home.ts';
import type { BrowserChoice } from '../../browser/install/find-browser.ts';
import type { WarmBrowser } from '../../browser/warm-browser.ts';
import { defineCommand } from '../../command-line/command.ts';
import { openLog } from '../../command-line/open-log.ts';
import { systemClock } from '../../lib/clock.ts';
import { exitCode } from '../../lib/exit-code.ts';
import { lockFolder } from '../../lib/folder-lock.ts';
import type { Log } from '../../lib/log.ts';
import { version } from '../../lib/version.ts';
import { protocolVersion } from '../../protocol/limits.ts';
import type { Capabilities } from '../../protocol/messages.ts';
import { engineFlags, lifeFlags } from '../engine-flags.ts';
import { engineOn } from '../engine-on.ts';
import { filesAt } from '../files-at.ts';
import { networkOptions, networkSummary } from '../network-options.ts';
import { obtainCredentials } from '../obtain-credentials.ts';
import { introducePolicy, openBooks, readMachinePolicy } from '../open-books.ts';
import { type OpenBrowser, openBrowser } from '../open-browser.ts';
import { openLife } from '../open-life.ts';
import { hostsForSecrets, openSecrets } from '../open-secrets.ts';
import { isRootProcess, refuseRoot } from '../root-rule.ts';

const options = z.object({
  args: z.array(z.string()).max(0),
  once: z.boolean().default(false),
  logFormat: z.enum(['text', 'json']).optional(),
  ...lifeFlags,
  ...engineFlags,
});

/** `qualinet start`: takes runs and executes them until it is stopped. */
export const start = defineCommand({
  options,
  async run({ once, headed, logFormat, ...flags }, context) {
    const given = readAgentConfig(context.env, flags);
    refuseRoot({ isRoot: isRootProcess(), isRootAllowed: given.isRootAllowed });
    const policy = await readMachinePolicy(given);
    const { log, isForPeople } = openLog(context, { format: logFormat });
    const hostsOfOthers = hostsForSecrets(given, policy);
    const secrets = await openSecrets(given, { hostsOfOthers, log, context });
    let isReady = false;
    const shutdown = watchSignals(context, {
      reason: () => new ShutdownError('the runner is being stopped'),
      drainMs: given.drainMs,
      onStep: (step) => log.warn(shutdownText(step, { ...given, isReady })),
      sleep: systemClock.sleep,
    });
    const closing: (() => Promise<void>)[] = [];
    let end: EndOfLife = { reason: 'stopped before it had begun', exitCode: exitCode.done };
    try {
      const credentials = await obtainCredentials(given, {
        context,
        log,
        signal: shutdown.drainSignal,
      });
      const home = credentials.isEnrolled
        ? await writableHome(given.home, log)
        : { path: given.home, remove: async () => {} };
      closing.push(home.remove);
      const config = { ...given, home: home.path };
      introducePolicy(policy, config, credentials.value, log);
      isReady = true;
      const lock = await lockFolder(config.home, "this machine's runner");
      closing.push(lock.release);
      const { record, browsers, close } = await openLife(config.home, context, log);
      closing.push(() => close(end));
      const isHomeTemporary = home.path !== given.home;
      const books = openBooks(config.home, { policy, credentials: credentials.value, isHomeTemporary, log });
      closing.push(async () => books.close(end));
      const connection = connectBridge(credentials.value, {
        proxy: config.proxy,
        log,
        version,
        async save(next) {
          if (!credentials.isEnrolled) await saveCredentials(config.home, next);
          books.keyRenewed(next);
        },
      });
      closing.push(connection.close);
      const { mode: chooser, apiBaseUrl } = credentials.value;
      const network = networkOptions(config, chooser, policy);
      const networkText = networkSummary(network);
      const storage = openStorage({ ...config, ...connection, apiBaseUrl, rules: network.rules });
      closing.push(storage.close);
      introduce(credentials.value, config, log);
      const concurrency = once ? 1 : config.concurrency;
      const health = await openHealth(
        { ...config, concurrency, version },
        { clock: systemClock, log, drainSignal: shutdown.drainSignal, notify: systemdNotify(context.env) },
      );
      closing.push(health.close);
      const tellPeople = tellLog(log, { isForPeople, clock: systemClock });
      const deps: AgentDeps = {
        ...connection,
        storage,
        rules: books.rules,
        client: watchedClient(connection.client, { onAnswer: record.onAnswer }),
        clock: systemClock,
        random: Math.random,
        log,
        async startEngine() {
          const opened = await openBrowser({
            ...{ config, chooser, headed, log, context },
            network: { ...network, ownPorts: () => health.ownPorts },
            watcher: health.countingStarts(browsers),
          });
          const { choice, warm } = opened;
          closing.push(() => warm.close());
          introduceBrowser(opened, log);
          log.info(`network that flows may reach: ${networkText}`);
          const { kind, path } = choice;
          books.audit.write({
            event: 'browser_started',
            kind,
            path,
            version: warm.version,
            sandbox: warm.sandboxed,
          });
          health.up(warm);
          return {
            executeFlow: engineOn(warm, filesAt(config.filesFolder, context.cwd)),
            capabilities: capabilitiesOf(choice, warm, concurrency),
          };
        },
        secrets,
        drainSignal: shutdown.drainSignal,
        stopSignal: shutdown.stopSignal,
        pulse: health.pulse,
        tell(event) {
          record.onEvent(event);
          books.onEvent(event);
          health.onEvent(event);
          tellPeople(event);
        },
      };
      const reason = await runAgent(
        {
          home: config.home,
          concurrency,
          once,
          version,
          pid: process.pid,
          rules: {
            policyPath: policy?.path ?? null,
            network: networkText,
            healthUrl: health.url,
          },
          spoolBytes: config.spoolBytes,
          whyInterrupted: record.whyInterrupted,
        },
        deps,
      );
      log.info(`ended: ${stopReasons[reason].text}`);
      const code = shutdown.exitCode() ?? stopReasons[reason].exitCode;
      end = { reason: stopReasons[reason].text, exitCode: code };
      return code;
    } catch (error) {
      // Stopped before there was a runner to drain.
      if (error instanceof ShutdownError) return shutdown.exitCode() ?? exitCode.done;
      end = { error };
      throw error;
    } finally {
      for (const close of closing.reverse()) await close();
      shutdown.close();
    }
  },
});

function introduce(
  { name, workspace, apiBaseUrl, ...credentials }: Credentials,
  { concurrency, home }: AgentConfig,
  log: Log,
): void {
  log.info(`runner "${name}" of workspace ${workspace}, ${apiBaseUrl}`, {
    version,
    concurrency,
    home,
    keyUntil: newestKey(credentials).notAfter,
  });
}

function introduceBrowser({ choice, warm }: OpenBrowser, log: Log): void {
  log.info(`browser: ${choice.kind} ${warm.version} (${choice.why})`, {
    path: choice.path,
    sandbox: warm.sandboxed,
  });
}

function capabilitiesOf(choice: BrowserChoice, warm: WarmBrowser, concurrency: number): Capabilities {
  const { platform, arch, nodeVersion } = describeHost(version);
  return {
    protocol: protocolVersion,
    qualinetVersion: version,
    platform,
    arch,
    nodeVersion,
    concurrency,
    browser: { kind: choice.kind, version: warm.version, sandbox: warm.sandboxed },
  };
}

function shutdownText(
  step: ShutdownStep,
  { drainMs, isReady }: Pick<AgentConfig, 'drainMs'> & { isReady: boolean },
): string {
  switch (step.do) {
    case 'drain':
      if (!isReady) return 'stopping before the first run';
      return `finishing the runs under way, up to ${minutes(drainMs)}; a second signal hands them back`;
    case 'stop':
      return 'stopping: runs are cancelled and handed back; one more signal ends at once';
    case 'exit':
      return 'ended at once';
  }
}

function minutes(ms: number): string {
  return ms % 60_000 === 0 ? `${ms / 60_000} min` : `${ms / 1_000} s`;
}
