import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { readEngineConfig } from '../../agent/config/agent-config.ts';
import { shadowTeller } from '../../agent/secrets/tell-shadowed.ts';
import { executeFlow } from '../../browser/execute-flow.ts';
import { type CommandContext, defineCommand } from '../../command-line/command.ts';
import { nameValue } from '../../command-line/name-value.ts';
import { peopleLog } from '../../command-line/people-log.ts';
import { readInputFile } from '../../command-line/read-input-file.ts';
import { checkFlow } from '../../flow/check-flow.ts';
import { flowFileInput, parseFlowFile } from '../../flow/flow-file.ts';
import { systemClock } from '../../lib/clock.ts';
import { duration } from '../../lib/duration.ts';
import { CancelledError, errorText, UsageError } from '../../lib/errors.ts';
import { exitCode } from '../../lib/exit-code.ts';
import { printable } from '../../lib/printable.ts';
import type { RunResult } from '../../protocol/run-result.ts';
import { engineFlags } from '../engine-flags.ts';
import { networkOptions } from '../network-options.ts';
import { openBrowser } from '../open-browser.ts';
import { openSecrets } from '../open-secrets.ts';
import { progressPrinter } from '../progress.ts';
import { rulesOfRun } from '../rules-of-run.ts';

const options = z.object({
  args: z.tuple([z.string()]),
  var: z.array(nameValue).default([]),
  screenshots: z.string().min(1).default('qualinet-screenshots'),
  json: z.boolean().default(false),
  ...engineFlags,
});

/** `qualinet run FLOW.json`: one flow, here and now, without any server. */
export const run = defineCommand({
  options,
  async run({ args: [path], var: given, screenshots, headed, json, ...flags }, context) {
    const config = readEngineConfig(context.env, flags);
    const file = parseFlowFile(await readInputFile(path, flowFileInput, context), path);
    const variables = { ...file.variables, ...Object.fromEntries(given) };
    const log = peopleLog(context);
    const secrets = await openSecrets(config, { hostsOfOthers: null, log, context });
    shadowTeller(secrets, log)(variables);
    const checked = checkFlow(file.flow, variables, secrets.names);
    for (const warning of checked.warnings) context.stderr.write(`warning: ${printable(warning)}\n`);
    if (!checked.ok) {
      throw new UsageError(`${path} cannot be run`, {
        problems: checked.problems.map(({ message }) => message),
        ...(checked.problems.some(({ message }) => message.endsWith('is not set'))
          ? { hint: 'Set a variable with: --var NAME=value, a secret with: --secrets FILE' }
          : {}),
      });
    }

    const rules = await rulesOfRun(config, checked.steps, log);
    const abort = new AbortController();
    const stopListening = listenForSignals(context, abort);
    const { choice, warm } = await openBrowser({
      config,
      chooser: 'owner',
      network: networkOptions(config, 'owner', rules.policy),
      headed,
      log,
      context,
    }).catch((error: unknown) => {
      stopListening();
      throw error;
    });
    try {
      const progress = progressPrinter(checked.steps, context.stderr);
      progress.begin(file.name ?? basename(path), choice);
      const stopWatching = rules.watchTime(abort);
      const executed = await executeFlow(
        { steps: checked.steps, variables, secrets },
        {
          openPage: () => warm.newRun(),
          signal: abort.signal,
          ensureMayAct: () => abort.signal.throwIfAborted(),
          sideEffectsMayBegin: () => Promise.resolve(),
          onEvent: progress.onEvent,
          onDeed: () => {},
          keepScreenshot: (picture) => keepPicture(picture, resolve(context.cwd, screenshots)),
          clock: systemClock,
        },
      ).finally(stopWatching);
      const result = rules.verdict(executed, abort.signal);
      progress.end(result, context.cwd);
      report(result, json, context);
      return result.status === 'cancelled'
        ? interruptedBy(abort.signal)
        : result.status === 'passed'
          ? exitCode.done
          : exitCode.flowFailed;
    } finally {
      stopListening();
      await warm.close();
    }
  },
});

/** The first signal ends the run in order, so that the browser closes and a result is printed; the second ends everything. */
function listenForSignals({ onSignal, stderr, exit }: CommandContext, abort: AbortController): () => void {
  return onSignal((signal) => {
    const code = signal === 'SIGINT' ? exitCode.interrupted : exitCode.terminated;
    if (abort.signal.aborted) exit(code);
    stderr.write('Stopping the run; once more ends at once.\n');
    abort.abort(new CancelledError(`interrupted (${signal})`));
  });
}

function interruptedBy(signal: AbortSignal): number {
  return errorText(signal.reason).includes('SIGTERM') ? exitCode.terminated : exitCode.interrupted;
}

async function keepPicture(
  { nodeId, bytes, contentType }: { nodeId: string; bytes: Uint8Array; contentType: string },
  folder: string,
): Promise<{ url: string } | { problem: string }> {
  const time = new Date().toISOString().replace(/[:.]/g, '-');
  const name = `${time}-${nodeId.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 60)}.${contentType.replace(/^image\//, '')}`;
  const path = join(folder, name);
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(path, bytes);
    return { url: pathToFileURL(path).href };
  } catch (error) {
    return { problem: `cannot write ${path}: ${errorText(error)}` };
  }
}

function report(result: RunResult, json: boolean, { stdout }: CommandContext): void {
  if (json) {
    stdout.write(`${JSON.stringify(result)}\n`);
    return;
  }
  const passed = result.stepsResult.filter(({ status }) => status === 'passed').length;
  stdout.write(
    `${result.status}: ${passed} of ${result.stepsResult.length} executed steps passed in ${duration(result.durationMs)}\n`,
  );
}
