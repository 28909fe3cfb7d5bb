import { counted } from '../lib/counted.ts';
import { duration } from '../lib/duration.ts';
import type { StepResult } from '../protocol/run-result.ts';
import { htmlStyle } from './html-style.ts';
import { attributes, escaped } from './markup.ts';
import {
  durationOf,
  type ReportedRun,
  type ReportedTry,
  titleOf,
  type Verdict,
  verdictOf,
} from './reported-run.ts';

/** What a report needs from around it. */
export interface HtmlDeps {
  /** The picture at an address as a `data:` URL, null for one that cannot be had. */
  picture(url: string): string | null;
  /** Milliseconds since 1970. */
  madeAt: number;
  /** Name and version of the program. */
  by: string;
}

/** Runs as one page of HTML that needs nothing else: steps, times, pictures, what went wrong in the page. Failures are open, the rest is folded. */
export function htmlReport(runs: readonly ReportedRun[], deps: HtmlDeps): string {
  const counts = new Map<Verdict, number>();
  for (const run of runs) counts.set(verdictOf(run), (counts.get(verdictOf(run)) ?? 0) + 1);
  const sums = [...counts].map(([verdict, count]) => `<span class="${verdict}">${count} ${verdict}</span>`);
  const title = `${counted(runs.length, 'run')}: ${[...counts].map(([verdict, count]) => `${count} ${verdict}`).join(', ')}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>${escaped(title)}</title>
<style>${htmlStyle}</style>
</head>
<body>
<h1>Runs</h1>
<p class="sum">${sums.join('')}<span class="note">${escaped(new Date(deps.madeAt).toISOString())}, ${escaped(deps.by)}</span></p>
${runs.map((run) => runPart(run, deps)).join('\n')}
</body>
</html>
`;
}

function runPart(run: ReportedRun, deps: HtmlDeps): string {
  const verdict = verdictOf(run);
  const isOpen = verdict !== 'passed' && verdict !== 'skipped';
  const tries = run.tries.map((one, index) => tryPart(one, run.tries.length > 1 ? index + 1 : null, deps));
  return `<details class="run"${isOpen ? ' open' : ''}>
<summary><b class="${verdict}">${verdict}</b> <span>${escaped(titleOf(run))}</span> <span class="file">${escaped(run.file)}</span> <span class="time">${duration(durationOf(run.tries))}</span></summary>
<div class="body">${tries.join('\n')}</div>
</details>`;
}

function tryPart({ result }: ReportedTry, number: number | null, deps: HtmlDeps): string {
  const longestMs = Math.max(1, ...result.stepsResult.map(({ durationMs }) => durationMs));
  const heading = number === null ? '' : `<h3>Try ${number}: ${result.status}</h3>`;
  const error =
    result.error === undefined ? '' : `<p class="failed text">${escaped(result.error.message)}</p>`;
  const rows = result.stepsResult.map((step, index) => stepRow(step, index + 1, longestMs, deps));
  return `${heading}${error}<table><tbody>${rows.join('\n')}</tbody></table>`;
}

function stepRow(step: StepResult, number: number, longestMs: number, deps: HtmlDeps): string {
  const { nodeId, type, status, durationMs, rounds, attempts } = step;
  const width = Math.max(1, Math.round((100 * durationMs) / longestMs));
  const notes = [
    ...(rounds === undefined ? [] : [`round ${rounds.join('.')}`]),
    ...(attempts === undefined ? [] : [`${attempts} tries`]),
    ...(step.soft === true ? ['soft'] : []),
  ];
  const note = notes.length === 0 ? '' : ` <span class="note">${notes.join(', ')}</span>`;
  return `<tr class="${status}"><td>${number}</td><td class="node">${escaped(nodeId)}<br><span class="note">${escaped(type)}</span></td>
<td><div class="text">${escaped(step.error ?? step.logs ?? '')}${note}</div>${detailsOf(step, deps)}</td>
<td class="time">${duration(durationMs)}<div class="bar"${attributes({ style: `width:${width}%` })}></div></td></tr>`;
}

function detailsOf(
  { observed = {}, healed, screenshotUrl, screenshotProblem }: StepResult,
  deps: HtmlDeps,
): string {
  const lists: [string, readonly string[] | undefined][] = [
    ['Errors of the page', observed.pageErrors],
    ['Console', observed.consoleErrors],
    ['Failed requests', observed.failedRequests],
    ['Better order of selectors', healed?.proposed],
  ];
  const texts = lists.flatMap(([title, lines = []]) =>
    lines.length === 0 ? [] : [`<div class="note">${title}</div><pre>${escaped(lines.join('\n'))}</pre>`],
  );
  const picture = screenshotUrl === undefined ? null : deps.picture(screenshotUrl);
  if (picture !== null) texts.push(`<img${attributes({ src: picture, alt: 'What the window showed' })}>`);
  else if (screenshotUrl !== undefined)
    texts.push(`<div class="note">picture: ${escaped(screenshotUrl)}</div>`);
  if (screenshotProblem !== undefined)
    texts.push(`<div class="note">no picture: ${escaped(screenshotProblem)}</div>`);
  return texts.join('');
}
