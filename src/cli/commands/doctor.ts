import * as z from 'zod';
import { readAgentConfig } from '../../agent/config/agent-config.ts';
import { defineCommand } from '../../command-line/command.ts';
import { systemClock } from '../../lib/clock.ts';
import { didYouMean } from '../../lib/did-you-mean.ts';
import { CancelledError, UsageError } from '../../lib/errors.ts';
import { exitCode } from '../../lib/exit-code.ts';
import { version } from '../../lib/version.ts';
import { checkTable, withNeeds } from '../checks/check-table.ts';
import { thisMachine } from '../checks/machine.ts';
import { resultPrinter } from '../checks/print-results.ts';
import { reportOf } from '../checks/report.ts';
import { runChecks } from '../checks/run-checks.ts';
import { openScene, type Scene } from '../checks/scene.ts';
import { engineFlags } from '../engine-flags.ts';

const options = z.object({
  args: z.tuple([]),
  api: z.string().optional(),
  deep: z.boolean().default(false),
  only: z.array(z.string()).default([]),
  json: z.boolean().default(false),
  ...engineFlags,
});

/** `qualinet doctor`: looks at everything a runner needs, and says what to type where something is wrong. */
export const doctor = defineCommand({
  options,
  async run({ deep, only, json, headed, ...flags }, context) {
    const config = readAgentConfig(context.env, flags);
    const checks = only.length === 0 ? checkTable : withNeeds(new Set(only.map(knownName)));
    const printer = json ? null : resultPrinter(checks, context);
    if (!json) context.stdout.write(`qualinet ${version}, home ${config.home}\n\n`);
    const abort = new AbortController();
    let stoppedBy: number | null = null;
    const stopListening = context.onSignal((signal) => {
      const code = signal === 'SIGINT' ? exitCode.interrupted : exitCode.terminated;
      if (stoppedBy !== null) context.exit(code);
      stoppedBy = code;
      context.stderr.write('Stopping; once more ends at once.\n');
      abort.abort(new CancelledError(`stopped (${signal})`));
    });
    const clock = systemClock;
    const scene = openScene({
      config,
      headed,
      apiFlag: flags.api ?? null,
      context,
      machine: thisMachine(),
      clock,
    });
    const startedMs = clock.monotonicMs();
    let code: number = exitCode.internal;
    try {
      const results = await runChecks(checks, scene, {
        clock,
        isDeep: deep || only.some(isDeepCheck),
        signal: abort.signal,
        onResult: (result) => printer?.onResult(result),
      });
      const durationMs = Math.round(clock.monotonicMs() - startedMs);
      const report = reportOf(results, { qualinetVersion: version, durationMs });
      printer?.end(report);
      if (json) context.stdout.write(`${JSON.stringify(report)}\n`);
      code = report.isHealthy ? exitCode.done : exitCode.checkFailed;
    } catch (error) {
      if (stoppedBy === null) throw error;
      code = stoppedBy;
    } finally {
      await closeInTime(scene, () => context.exit(code));
      stopListening();
    }
    return code;
  },
});

/** Longest that a browser may take to end once all is told; one that hangs at its start would take a minute. */
const closeMs = 5_000;

/** Closes the scene, or ends the process, and with it what hangs. */
async function closeInTime(scene: Scene, exit: () => never): Promise<void> {
  const over = new AbortController();
  const tooLong = systemClock.sleep(closeMs, over.signal).then(
    () => true,
    () => false,
  );
  const isLate = await Promise.race([scene.close().then(() => false), tooLong]);
  over.abort(null);
  if (isLate) exit();
}

function isDeepCheck(name: string): boolean {
  return checkTable.some((check) => check.name === name && check.isDeep === true);
}

function knownName(name: string): string {
  const names = checkTable.map((check) => check.name);
  if (names.includes(name)) return name;
  const guess = didYouMean(name, names);
  throw new UsageError(`there is no check "${name}"`, {
    hint:
      guess === null ? `The checks: ${names.join(', ')}` : `Did you mean: qualinet doctor --only ${guess}`,
  });
}
