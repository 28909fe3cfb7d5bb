import { counted } from '../../lib/counted.ts';
import { duration } from '../../lib/duration.ts';
import { groupBy } from '../../lib/group-by.ts';
import { printable } from '../../lib/printable.ts';
import { type ReportedRun, type Verdict, verdictOf } from '../../report/reported-run.ts';

/** The verdicts in the order in which they are told. */
const verdicts: readonly Verdict[] = ['passed', 'flaky', 'failed', 'cancelled', 'skipped'];

/** The table at the end of many runs: a line for each flow, and one for all. With repetitions it says how steady each flow is. */
export function summaryOf(runs: readonly ReportedRun[], wallMs: number): string {
  const flows = [...groupBy(runs, ({ file, name }) => JSON.stringify([file, name])).values()];
  const isRepeated = runs.some(({ repetition }) => repetition !== null);
  const head = [
    'flow',
    'verdict',
    'steps',
    'time',
    ...(isRepeated ? ['passed', 'fastest', 'slowest', 'failed at'] : ['tries']),
  ];
  const rows = flows.map((group) => (isRepeated ? repeatedRow(group) : singleRow(group)));
  const counts = verdicts
    .map((verdict) => [verdict, runs.filter((run) => verdictOf(run) === verdict).length] as const)
    .filter(([, count]) => count > 0)
    .map(([verdict, count]) => `${count} ${verdict}`);
  const begun = runs.filter(({ tries }) => tries.length > 0).length;
  const perMinute = wallMs > 0 ? Math.round((begun * 60_000) / wallMs) : 0;
  const total = `${counted(runs.length, 'run')}: ${counts.join(', ')} in ${duration(wallMs)} (${perMinute} a minute)`;
  return `${table([head, ...rows])}\n${total}\n`;
}

function singleRow(group: readonly ReportedRun[]): string[] {
  const [run] = group;
  const last = run?.tries.at(-1)?.result;
  return [
    labelOf(group),
    run === undefined ? '' : verdictOf(run),
    String(last?.stepsResult.length ?? 0),
    last === undefined ? '' : duration(last.durationMs),
    String(run?.tries.length ?? 0),
  ];
}

function repeatedRow(group: readonly ReportedRun[]): string[] {
  const done = group.filter(({ tries }) => tries.length > 0);
  const passed = done.filter((run) => verdictOf(run) === 'passed');
  const times = done
    .flatMap(({ tries }) => tries.map(({ result }) => result.durationMs))
    .sort((a, b) => a - b);
  const failedTries = done.flatMap(({ tries }) => tries).filter(({ result }) => result.status !== 'passed');
  const steps = failedTries.flatMap(({ result }) =>
    result.stepsResult.filter(({ status }) => status === 'failed'),
  );
  const places = [...groupBy(steps, ({ nodeId }) => nodeId)].map(
    ([nodeId, all]) => `${nodeId} (${all.length})`,
  );
  const steady =
    passed.length === done.length ? 'passed' : failedTries.length === times.length ? 'failed' : 'flaky';
  return [
    labelOf(group),
    done.length === 0 ? 'skipped' : steady,
    String(done.at(-1)?.tries.at(-1)?.result.stepsResult.length ?? 0),
    times.length === 0 ? '' : duration(times[Math.floor(times.length / 2)] ?? 0),
    `${passed.length} of ${done.length}`,
    times.length === 0 ? '' : duration(times[0] ?? 0),
    times.length === 0 ? '' : duration(times.at(-1) ?? 0),
    places.join(', '),
  ];
}

/** The name, and the file where the name does not say it. */
function labelOf([run]: readonly ReportedRun[]): string {
  if (run === undefined) return '';
  const { name, file } = run;
  return printable(file.endsWith(name) ? file : `${name} (${file})`);
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
