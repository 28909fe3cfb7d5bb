import type { RunView } from '../../../src/protocol/messages.ts';
import { chaosFlows, stepsOf } from './chaos-flows.ts';
import type { ChaosRun, Fleet } from './fleet.ts';
import { whatIsLeft } from './leftovers.ts';
import { toldSecrets } from './told-secrets.ts';
import { updateProblems } from './told-updates.ts';

/** Endings that the bridge decides, without a runner's result. */
const bridgeEndings = new Set(['attempts_used_up', 'not_redelivered', 'run_timeout']);

/**
 * Waits for the end of every run, ends the fleet, and looks at everything that was promised: one final row a run, its
 * updates complete and once, no two attempts at once, no secret told, nothing left. Gives what is broken, one sentence each.
 */
export async function brokenPromises(fleet: Fleet, limitMs = 90_000): Promise<string[]> {
  const broken: string[] = [];
  for (const run of fleet.runs) {
    const row = await fleet.finalRow(run, limitMs).catch((error: Error) => error.message);
    if (typeof row === 'string') broken.push(`nobody ended it: ${row}`);
    else broken.push(...rowProblems(run, row), ...(await updateProblems(fleet, run, row)));
    broken.push(...actProblems(fleet, run));
  }
  broken.push(...(await whatIsLeft(fleet)));
  broken.push(...(await toldSecrets(fleet)));
  return broken;
}

/** What is wrong with a final row. */
function rowProblems({ tag, flow, onRedelivery }: ChaosRun, row: RunView): string[] {
  const about = `${tag} (${flow}, ${onRedelivery})`;
  const code = row.error?.code ?? null;
  if (code === null) {
    const { status } = chaosFlows[flow];
    const steps = row.stepsResult ?? [];
    // A page that crashes ends its run, as any fault of the page does.
    const last = steps.at(-1);
    if (
      row.status === 'failed' &&
      last?.errorKind === 'browser_crashed' &&
      /page crashed/.test(last.error ?? '')
    ) {
      return [];
    }
    const executed = steps.map(({ nodeId }) => nodeId).join();
    if (row.status === status && executed === stepsOf(flow).join()) return [];
    return [
      `${about} ended ${row.status} instead of ${status} after ${executed}: ${last?.error ?? 'no error'}`,
    ];
  }
  if (!bridgeEndings.has(code)) return [`${about} ended ${row.status} (${code}: ${row.error?.message})`];
  if (code === 'not_redelivered' && onRedelivery === 'rerun') return [`${about} was not delivered again`];
  return row.status === 'failed' ? [] : [`${about} ended ${row.status} with ${code}`];
}

/** What the shop saw that must not be. */
function actProblems({ shop }: Pick<Fleet, 'shop'>, { tag, onRedelivery }: ChaosRun): string[] {
  const acts = shop.acts.filter(({ run }) => run === tag);
  const problems: string[] = [];
  const over = new Set<string>();
  let current: string | null = null;
  let hasActed = false;
  for (const { attempt, what } of acts) {
    if (what === 'act of a stranger') problems.push(`${tag}: something acted without having opened the page`);
    if (attempt !== current) {
      if (over.has(attempt)) problems.push(`${tag}: an attempt did "${what}" after the next one had acted`);
      if (current !== null) {
        over.add(current);
        if (onRedelivery === 'fail') problems.push(`${tag} was executed again in spite of \`fail\``);
        if (onRedelivery === 'auto' && hasActed)
          problems.push(`${tag} was executed again after a side effect in spite of \`auto\``);
      }
      current = attempt;
    }
    if (what !== 'open') hasActed = true;
  }
  return problems;
}
