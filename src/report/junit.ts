import { fileURLToPath } from 'node:url';
import type { RunResult, StepResult } from '../protocol/run-result.ts';
import { attributes, escaped } from './markup.ts';
import { durationOf, type ReportedRun, reasonOf, titleOf, verdictOf } from './reported-run.ts';

/**
 * Runs as JUnit XML: a suite for each file, a case for each run. A run that passed after it had failed has a `flakyFailure` for each try
 * before, one that failed to the end a `rerunFailure`, as Maven's Surefire writes them and CI servers read them.
 */
export function junitReport(runs: readonly ReportedRun[]): string {
  const files = [...new Set(runs.map(({ file }) => file))];
  const suites = files.map((file) =>
    suite(
      file,
      runs.filter((run) => run.file === file),
    ),
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites${attributes({ name: 'qualinet', ...countsOf(runs) })}>\n${suites.join('')}</testsuites>\n`;
}

function suite(file: string, runs: readonly ReportedRun[]): string {
  const startedAt = Math.min(...runs.flatMap(({ tries }) => tries.map((one) => one.startedAt)));
  const timestamp = Number.isFinite(startedAt)
    ? new Date(startedAt).toISOString().replace(/\.\d+Z$/, '')
    : null;
  const head = attributes({ name: file, ...countsOf(runs), timestamp });
  return `  <testsuite${head}>\n${runs.map(testCase).join('')}  </testsuite>\n`;
}

function testCase(run: ReportedRun): string {
  const { tries, file } = run;
  const verdict = verdictOf(run);
  const last = tries.at(-1)?.result;
  const before = tries.slice(0, -1).map(({ result }) => result);
  const head = attributes({ name: titleOf(run), classname: file, file, time: secondsOf(tries) });
  const inside =
    last === undefined
      ? ['      <skipped/>\n']
      : [
          ...(verdict === 'failed' ? [failure('failure', last)] : []),
          ...(verdict === 'cancelled' ? [failure('error', last)] : []),
          ...before.map((result) => failure(verdict === 'flaky' ? 'flakyFailure' : 'rerunFailure', result)),
          `      <system-out>${escaped(last.stepsResult.map(lineOf).join('\n'))}</system-out>\n`,
        ];
  return `    <testcase${head}>\n${inside.join('')}    </testcase>\n`;
}

function failure(element: string, result: RunResult): string {
  const failed = result.stepsResult.find(({ status }) => status === 'failed');
  const type = failed?.errorKind ?? result.error?.code ?? 'failed';
  const detail = [
    reasonOf(result),
    ...(failed === undefined ? [] : observedLines(failed)),
    pictureLine(failed),
  ];
  const text = detail.filter((line) => line !== '').join('\n');
  return `      <${element}${attributes({ message: reasonOf(result), type })}>${escaped(text)}</${element}>\n`;
}

function observedLines({ observed = {} }: StepResult): string[] {
  return [
    ...(observed.pageErrors ?? []).map((line) => `page error: ${line}`),
    ...(observed.consoleErrors ?? []).map((line) => `console: ${line}`),
    ...(observed.failedRequests ?? []).map((line) => `request: ${line}`),
  ];
}

/** In the form that GitLab and Jenkins show as an attachment. */
function pictureLine(step: StepResult | undefined): string {
  const url = step?.screenshotUrl;
  if (url === undefined) return '';
  return `[[ATTACHMENT|${url.startsWith('file:') ? fileURLToPath(url) : url}]]`;
}

function lineOf({ nodeId, type, status, durationMs, logs, error }: StepResult): string {
  return `${status === 'passed' ? 'ok  ' : 'FAIL'} ${nodeId} ${type}  ${error ?? logs ?? ''}  (${durationMs} ms)`;
}

function countsOf(runs: readonly ReportedRun[]): Record<string, string | number> {
  const count = (verdict: string): number => runs.filter((run) => verdictOf(run) === verdict).length;
  return {
    tests: runs.length,
    failures: count('failed'),
    errors: count('cancelled'),
    skipped: count('skipped'),
    time: secondsOf(runs.flatMap(({ tries }) => tries)),
  };
}

function secondsOf(tries: ReportedRun['tries']): string {
  return (durationOf(tries) / 1_000).toFixed(3);
}
