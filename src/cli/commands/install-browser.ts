import * as z from 'zod';
import { agentHome } from '../../agent/config/agent-config.ts';
import { browserSettings } from '../../agent/config/browser-settings.ts';
import { readSettings } from '../../agent/config/setting.ts';
import { getBrowser, installBrowser as installShell } from '../../browser/install/get-browser.ts';
import { defineCommand } from '../../command-line/command.ts';
import { StoppedError } from '../../lib/errors.ts';
import { exitCode } from '../../lib/exit-code.ts';

/** `qualinet install-browser`: says which Chromium is used and why, and gets one where none is. */
export const installBrowser = defineCommand({
  options: z.object({
    args: z.tuple([]),
    ifMissing: z.boolean().default(false),
    json: z.boolean().default(false),
  }),
  async run({ ifMissing, json }, { env, stdout, stderr, onSignal }) {
    const abort = new AbortController();
    const stopListening = onSignal((signal) =>
      abort.abort(new StoppedError(signal, 'installing was stopped')),
    );
    const browserPath = readSettings({ path: browserSettings.browserPath }, env, {}).path ?? undefined;
    const options = { home: agentHome(env), env, signal: abort.signal };
    const deps = { say: (line: string): void => stderr.write(`${line}\n`) };
    try {
      const choice =
        browserPath !== undefined || ifMissing
          ? await getBrowser({ ...options, browserPath }, deps)
          : await installShell(options, deps);
      stdout.write(json ? `${JSON.stringify(choice)}\n` : `${choice.path}\n`);
      return exitCode.done;
    } catch (error) {
      throw abort.signal.aborted ? abort.signal.reason : error;
    } finally {
      stopListening();
    }
  },
});
