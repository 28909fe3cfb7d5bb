import { setMaxListeners } from 'node:events';
import { abortScope } from '../../lib/abort-scope.ts';
import type { Clock } from '../../lib/clock.ts';
import { CancelledError, ExpectedError, errorText } from '../../lib/errors.ts';
import { unlessAborted } from '../../lib/unless-aborted.ts';
import { type Check, defaultLimitMs, type Finding, failed, skipped } from './check.ts';
import type { CheckResult } from './report.ts';
import type { Scene } from './scene.ts';

/**
 * Runs all checks, at the same time where none needs another. `onResult` hears of them in the order of the table, each as soon
 * as it and all before it have ended. A check that throws, or takes too long, ends no other. Throws the reason of `signal`.
 */
export async function runChecks(
  checks: readonly Check[],
  scene: Scene,
  {
    clock,
    isDeep,
    signal,
    onResult,
  }: { clock: Clock; isDeep: boolean; signal: AbortSignal; onResult(result: CheckResult): void },
): Promise<CheckResult[]> {
  const results = new Map<string, Promise<CheckResult>>();
  // Each check listens.
  setMaxListeners(100, signal);
  for (const check of checks) {
    const needed = check.needs.flatMap((name) => results.get(name) ?? []);
    results.set(check.name, resultOf(check, needed));
  }
  const told: CheckResult[] = [];
  for (const pending of results.values()) {
    const result = await pending;
    if (signal.aborted) continue;
    told.push(result);
    onResult(result);
  }
  signal.throwIfAborted();
  return told;

  async function resultOf(check: Check, needed: readonly Promise<CheckResult>[]): Promise<CheckResult> {
    const { name, title } = check;
    const lacking = (await Promise.all(needed)).find(
      ({ status }) => status === 'failed' || status === 'skipped',
    );
    const startedMs = clock.monotonicMs();
    const finding = lacking === undefined ? await look(check) : withoutNeed(lacking);
    return { name, title, ...finding, durationMs: Math.round(clock.monotonicMs() - startedMs) };
  }

  async function look(check: Check): Promise<Finding> {
    if (check.isDeep === true && !isDeep) return skipped('it takes about a minute', 'qualinet doctor --deep');
    const limitMs = check.limitMs ?? defaultLimitMs;
    const scope = abortScope([signal], {
      clock,
      timeoutMs: limitMs,
      reason: () => new CancelledError(`nothing came of it within ${limitMs / 1_000} s`),
    });
    try {
      return await unlessAborted(check.run(scene, scope.signal), scope.signal);
    } catch (error) {
      return findingOf(error, check);
    } finally {
      scope.close();
    }
  }
}

/** Names the first cause: what was skipped for another check says so already. */
function withoutNeed({ title, status, detail }: CheckResult): Finding {
  return skipped(status === 'failed' ? `it needs "${title}", which failed` : detail);
}

function findingOf(error: unknown, { fix }: Check): Finding {
  if (error instanceof ExpectedError) {
    const problems = error.problems.map((problem) => `; ${problem}`).join('');
    return failed(`${error.message}${problems}`, error.hint ?? fix);
  }
  const [, at = ''] = error instanceof Error ? (error.stack ?? '').split('\n') : [];
  return failed(
    `this is a bug in qualinet: ${errorText(error)} ${at.trim()}`.trim(),
    'Report it with what this prints: qualinet doctor --json',
  );
}
