import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkFlow } from '../../src/flow/check-flow.ts';
import { errorText } from '../../src/lib/errors.ts';
import type { RecordingFormat } from '../../src/recordings/imported.ts';
import { readRecording } from '../../src/recordings/read-recording.ts';

interface Share {
  flows: number;
  whole: number;
  /** Flows with commands or locators that only a plugin brings; they are none of `flows`. */
  withPlugins: number;
  /** Why the others did not import whole, and how many say so. */
  reasons: Map<string, number>;
}

/** How an import says that Selenium IDE itself does not have what stands there. */
const ofPlugin = /has no such command; a plugin may have brought it|locator ".*" is of no kind that is known/;

/**
 * Says which share of the recordings under `folder` imports whole, by format, and what is missing in the others. Templates, which
 * want variables that nobody set, count as whole.
 */
export function sayRecordingsShare(folder: string, say: (text: string) => void): void {
  const shares = new Map<RecordingFormat | 'refused', Share>();
  let unknown = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || /\.(tsv|md)$/.test(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    try {
      const recording = readRecording(readFileSync(path, 'utf8'), entry.name);
      if (recording === null) unknown += 1;
      for (const { flow, unkept } of recording?.flows ?? []) {
        const checked = checkFlow({ nodes: [...flow.nodes], edges: [...flow.edges] }, null);
        const faults = checked.ok ? [] : checked.problems.map(({ message }) => `not a flow: ${message}`);
        count(recording?.format ?? 'refused', [
          ...unkept.map(({ what, why }) => `${what.replaceAll(/"[^"]*"/g, '"…"')}: ${why}`),
          ...faults,
        ]);
      }
    } catch (error) {
      count('refused', [`${entry.name}: ${errorText(error)}`]);
    }
  }
  for (const [format, { flows, whole, withPlugins, reasons }] of shares) {
    const apart = withPlugins === 0 ? '' : `; ${withPlugins} with what only a plugin brings are not counted`;
    say(`${format}: ${whole} of ${flows} import whole (${((100 * whole) / flows).toFixed(1)} %)${apart}`);
    for (const [reason, times] of [...reasons].sort((one, other) => other[1] - one[1]).slice(0, 40)) {
      say(`  ${times} x ${reason}`);
    }
  }
  say(`${unknown} files are of no format that is imported`);

  function count(format: RecordingFormat | 'refused', reasons: readonly string[]): void {
    const share = shares.get(format) ?? {
      flows: 0,
      whole: 0,
      withPlugins: 0,
      reasons: new Map<string, number>(),
    };
    shares.set(format, share);
    if (reasons.some((reason) => ofPlugin.test(reason))) share.withPlugins += 1;
    else share.flows += 1;
    if (reasons.length === 0) share.whole += 1;
    for (const reason of new Set(reasons)) share.reasons.set(reason, (share.reasons.get(reason) ?? 0) + 1);
  }
}
