import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import type { NetworkRules } from '../../src/browser/egress/network-rules.ts';
import type { TraceWanted } from '../../src/browser/evidence/trace.ts';
import { executeFlow } from '../../src/browser/execute-flow.ts';
import type { StepPicture } from '../../src/browser/keep-evidence.ts';
import type { RunPage } from '../../src/browser/run-page.ts';
import type { RunDeed } from '../../src/browser/step/run-deed.ts';
import type { RunFiles } from '../../src/browser/step/run-files.ts';
import { launchBrowser, type WarmBrowser } from '../../src/browser/warm-browser.ts';
import { checkFlow } from '../../src/flow/check-flow.ts';
import { type LocalSecrets, noSecrets } from '../../src/flow/local-secrets.ts';
import { fieldsOf, type NodeType } from '../../src/flow/node-types/node-types.ts';
import type { Block, Step } from '../../src/flow/step.ts';
import type { Variables } from '../../src/flow/variables.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLog } from '../../src/lib/log.ts';
import type { FlowSnapshot } from '../../src/protocol/messages.ts';
import type { RunResult, StepEvent } from '../../src/protocol/run-result.ts';
import { runResultSchema, stepEventSchema } from '../../src/protocol/run-result.ts';
import { processExists } from './processes.ts';
import { type Page, type Site, startSite } from './site.ts';
import { testBrowser } from './test-browser.ts';
import { until } from './until.ts';

/** A step as tests write it: type and fields; its node's id is its place, from 1. */
export type ShortStep = readonly [NodeType, Record<string, unknown>];

/** A run and everything that came out of it. */
export interface RunSeen {
  result: RunResult;
  events: StepEvent[];
  pictures: StepPicture[];
  deeds: RunDeed[];
}

/** A warm browser and a site for the tests of one file; after them nothing of either may be left. */
export function browserTests(pages: Readonly<Record<string, Page>>) {
  let warm: WarmBrowser | null = null;
  let site: Site | null = null;

  beforeAll(async () => {
    site = await startSite(pages);
    warm = await launchBrowser({ choice: await testBrowser(), log: silentLog });
  });
  afterEach(async () => {
    await browser().settled();
    expect(await openContexts(browser()), 'contexts, the one that was just opened included').toBe(1);
  });
  afterAll(async () => {
    const pid = browser().pid;
    await browser().close();
    await site?.close();
    if (pid !== null) await until('the browser is gone', () => !processExists(pid));
  });

  function browser(): WarmBrowser {
    if (warm === null) throw new Error('the browser is not up yet');
    return warm;
  }

  return {
    browser,
    url: (path: string) => `${site?.url}${path}`,
    requests: () => site?.requests ?? [],
    /** Executes steps in the warm browser. */
    run: (steps: readonly ShortStep[], given?: RunGiven) => executeSteps(browser(), steps, given),
    /** Checks a whole flow, with its branches, and executes it in the warm browser. */
    runFlow(flow: FlowSnapshot, given: RunGiven = {}) {
      const checked = checkFlow(flow, given.variables ?? {});
      if (!checked.ok) throw new Error(checked.problems.map(({ message }) => message).join('\n'));
      return executeBlock(browser(), checked.steps, given);
    },
  };
}

/** What a test brings to a run besides its steps. */
interface RunGiven {
  variables?: Variables;
  secrets?: LocalSecrets;
  signal?: AbortSignal;
  rules?: NetworkRules;
  files?: RunFiles;
  onDeed?: (deed: RunDeed) => void;
  /** Gets the page before the first step. */
  onPage?: (opened: RunPage) => void;
  ensureMayAct?: () => void;
  sideEffectsMayBegin?: () => Promise<void>;
  onEvent?: (event: StepEvent) => void;
  slowMoMs?: number;
  beforeStep?: (step: Step) => Promise<void>;
  trace?: TraceWanted & { onProblem(problem: string): void };
  keepScreenshot?: (picture: StepPicture) => Promise<{ url: string } | { problem: string }>;
}

/** Executes steps in a browser. */
export function executeSteps(
  warm: Pick<WarmBrowser, 'newRun'>,
  steps: readonly ShortStep[],
  given: RunGiven = {},
): Promise<RunSeen> {
  return executeBlock(warm, steps.map(longStep), given);
}

async function executeBlock(
  warm: Pick<WarmBrowser, 'newRun'>,
  steps: Block,
  given: RunGiven,
): Promise<RunSeen> {
  const events: StepEvent[] = [];
  const pictures: StepPicture[] = [];
  const deeds: RunDeed[] = [];
  const result = await executeFlow(
    {
      steps,
      variables: given.variables ?? {},
      secrets: given.secrets ?? noSecrets,
    },
    {
      async openPage() {
        const opened = await warm.newRun(given.rules);
        given.onPage?.(opened);
        return opened;
      },
      signal: given.signal ?? new AbortController().signal,
      ensureMayAct: () => given.ensureMayAct?.(),
      sideEffectsMayBegin: () => given.sideEffectsMayBegin?.() ?? Promise.resolve(),
      onDeed(deed) {
        deeds.push(deed);
        given.onDeed?.(deed);
      },
      onEvent(event) {
        events.push(stepEventSchema.parse(event));
        given.onEvent?.(event);
      },
      async keepScreenshot(picture) {
        pictures.push(picture);
        return given.keepScreenshot?.(picture) ?? { url: `https://pictures.test/${picture.nodeId}` };
      },
      ...(given.slowMoMs === undefined ? {} : { slowMoMs: given.slowMoMs }),
      ...(given.beforeStep === undefined ? {} : { beforeStep: given.beforeStep }),
      ...(given.files === undefined ? {} : { files: given.files }),
      ...(given.trace === undefined ? {} : { trace: given.trace }),
      clock: systemClock,
    },
  );
  return { result: runResultSchema.parse(result), events, pictures, deeds };
}

function longStep([type, fields]: ShortStep, index: number): Step {
  return { nodeId: String(index + 1), type, fields: fieldsOf(type, fields) };
}

async function openContexts(browser: WarmBrowser): Promise<number> {
  const opened = await browser.newRun();
  const count = opened.context.browser()?.contexts().length ?? 0;
  await opened.close();
  await browser.settled();
  return count;
}
