import { availableParallelism } from 'node:os';
import * as z from 'zod';
import { readEngineConfig } from '../../agent/config/agent-config.ts';
import { shadowTeller } from '../../agent/secrets/tell-shadowed.ts';
import { traceRefusal } from '../../browser/evidence/trace.ts';
import { defineCommand } from '../../command-line/command.ts';
import { nameValue } from '../../command-line/name-value.ts';
import { peopleLog } from '../../command-line/people-log.ts';
import { stepsIn } from '../../flow/step.ts';
import { UsageError } from '../../lib/errors.ts';
import { exitCode } from '../../lib/exit-code.ts';
import { verdictOf } from '../../report/reported-run.ts';
import { engineFlags } from '../engine-flags.ts';
import { executePrepared, type RunSetting, type TraceSetting } from '../flows/execute-prepared.ts';
import { runFlows } from '../flows/flow-queue.ts';
import { interruptedBy, listenForSignals } from '../flows/interrupts.ts';
import { numberOption } from '../flows/number-option.ts';
import { prepareFlows } from '../flows/prepare-flows.ts';
import { reportOption } from '../flows/report-option.ts';
import { stepByStep } from '../flows/step-by-step.ts';
import { tellRun } from '../flows/tell-run.ts';
import { tellRuns } from '../flows/tell-runs.ts';
import { networkOptions } from '../network-options.ts';
import { openBrowser } from '../open-browser.ts';
import { openSecrets } from '../open-secrets.ts';
import { rulesOfRun } from '../rules-of-run.ts';

const options = z.object({
  args: z.array(z.string()),
  var: z.array(nameValue).default([]),
  screenshots: z.string().min(1).default('qualinet-screenshots'),
  workers: numberOption(1, 64).optional(),
  repeat: numberOption(1, 1_000).optional(),
  retries: numberOption(0, 10).optional(),
  report: reportOption.optional(),
  trace: z.enum(['always', 'on-failure']).optional(),
  traces: z.string().min(1).default('qualinet-traces'),
  traceSecrets: z.boolean().default(false),
  slowMo: numberOption(0, 60_000).optional(),
  step: z.boolean().default(false),
  lenient: z.boolean().default(false),
  json: z.boolean().default(false),
  ...engineFlags,
});

/** `qualinet run FLOW.json…`: flows, here and now, without any server. */
export const run = defineCommand({
  options,
  async run(
    {
      args,
      var: given,
      screenshots,
      workers,
      repeat,
      retries,
      report,
      trace,
      traces,
      traceSecrets,
      slowMo,
      step,
      lenient,
      ...rest
    },
    context,
  ) {
    const { headed, json, ...flags } = rest;
    const config = readEngineConfig(context.env, flags);
    const log = peopleLog(context);
    const secrets = await openSecrets(config, { hostsOfOthers: null, log, context });
    const prepared = await prepareFlows(args, {
      given: Object.fromEntries(given),
      secretNames: secrets.names,
      isLenient: lenient,
      context,
    });
    const { flows } = prepared;
    const isSingle = prepared.isSingle && (repeat ?? 1) === 1;
    if (step && !isSingle) throw new UsageError('--step goes with one flow', { hint: 'Name one flow file.' });
    for (const { variables } of flows) shadowTeller(secrets, log)(variables);
    const traceSetting: TraceSetting | null =
      trace === undefined
        ? null
        : {
            folder: traces,
            keep: trace === 'always' ? 'always' : 'onFailure',
            mayHoldSecrets: traceSecrets,
          };
    const refusal = traceSetting === null ? null : traceRefusal(traceSetting, secrets);
    if (refusal !== null) throw refusal;
    const rules = await rulesOfRun(
      config,
      flows.flatMap(({ steps }) => stepsIn(steps)),
      log,
    );

    const abort = new AbortController();
    const stepping = step ? stepByStep(context, abort) : null;
    const stopListening = listenForSignals(context, abort);
    const end = (): void => {
      stopListening();
      stepping?.close();
    };
    const { choice, warm } = await openBrowser({
      config,
      chooser: 'owner',
      network: networkOptions(config, 'owner', rules.policy),
      headed,
      log,
      context,
    }).catch((error: unknown) => {
      end();
      throw error;
    });
    const setting: RunSetting = {
      warm,
      config,
      secrets,
      rules,
      signal: abort.signal,
      cwd: context.cwd,
      screenshots,
      pace: { slowMoMs: slowMo ?? 0, ...(stepping === null ? {} : { beforeStep: stepping.beforeStep }) },
      traces: traceSetting,
      log,
    };
    const times = repeat ?? 1;
    const total = flows.length * times;
    try {
      const madeAt = Date.now();
      const [first] = flows;
      const teller =
        isSingle && first !== undefined
          ? tellRun(first, { choice, json, context })
          : tellRuns(total, { json, context });
      const runs = await runFlows(
        flows,
        { workers: workers ?? Math.min(availableParallelism(), total), repeat: times, retries: retries ?? 0 },
        {
          ...teller,
          execute: (flow) => executePrepared(flow, teller.onEvent, setting),
          signal: abort.signal,
          now: Date.now,
        },
      );
      // Told first: a report that cannot be written must not cost the results.
      teller.end(runs, Date.now() - madeAt);
      if (report !== undefined) {
        const { writeReports } = await import('../flows/write-reports.ts');
        await writeReports(report, runs, { cwd: context.cwd, madeAt });
      }
      if (abort.signal.aborted) return interruptedBy(abort.signal);
      const hasFailed = runs.map(verdictOf).some((verdict) => verdict !== 'passed' && verdict !== 'flaky');
      return hasFailed ? exitCode.flowFailed : exitCode.done;
    } finally {
      end();
      await warm.close();
    }
  },
});
