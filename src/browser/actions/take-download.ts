import { createReadStream } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import type { DataOf } from '../../flow/node-types/node-types.ts';
import { duration } from '../../lib/duration.ts';
import { type Download, downloadBytes } from '../pages/run-downloads.ts';
import { aboutFile } from '../step/run-files.ts';
import { StepFailure } from '../step/step-error.ts';
import { comparisonWith } from './compare.ts';
import type { ActionDone, Scene } from './scene.ts';

/**
 * Waits for a download that a step before has begun: the first that no step has taken yet, and whose name is as it should be. What
 * is in the file stays on this machine; its name and size are in the result.
 */
export async function takeDownload(data: DataOf<'download'>, scene: Scene): Promise<ActionDone> {
  const { downloads, files } = scene;
  const download = await begunDownload(data, scene);
  downloads.take(download);
  const { fileName, bytes, path } = await endOf(download, scene);
  const { minBytes, contains, save, variable } = data;
  if (minBytes !== undefined && bytes < minBytes) {
    throw new StepFailure('assertion', `${fileName} has ${bytes} bytes, fewer than ${minBytes}`);
  }
  if (contains !== undefined && !(await holds(path, contains))) {
    throw new StepFailure('assertion', `${fileName} does not contain "${contains}"`);
  }
  if (save !== undefined) await aboutFile(save, copyFile(path, await files.toWrite(save)));
  return {
    logs: `Downloaded ${fileName} (${bytes} bytes)${save === undefined ? '' : `, kept as ${save}`}`,
    download: { fileName, bytes },
    ...(variable === undefined ? {} : { extracted: { variable, value: fileName } }),
  };
}

async function begunDownload(
  { fileName, match = 'exact' }: DataOf<'download'>,
  { downloads, budget }: Scene,
): Promise<Download> {
  const isWanted = fileName === undefined ? () => true : comparisonWith(fileName, match);
  for (;;) {
    const changed = downloads.changed();
    const found = downloads.waiting().find((download) => isWanted(download.fileName));
    if (found !== undefined) return found;
    if ((await budget.spend(changed.then(() => true))) !== null) continue;
    const others = downloads.waiting().map((download) => download.fileName);
    const within = `within ${duration(budget.timeoutMs)}`;
    throw others.length === 0
      ? new StepFailure('timeout', `no download began ${within}`)
      : new StepFailure(
          'assertion',
          `no download with the name ${match === 'exact' ? '' : `${match} `}"${fileName}" began ${within}, but ${others.slice(0, 5).join(', ')}`,
        );
  }
}

/** The download once it is whole. */
async function endOf(download: Download, { downloads, budget }: Scene): Promise<Download> {
  const { fileName } = download;
  for (;;) {
    const changed = downloads.changed();
    switch (download.state) {
      case 'completed':
        return download;
      case 'failed':
        throw new StepFailure('navigation', `the download of ${fileName} broke off`);
      case 'tooLarge':
        throw new StepFailure(
          'blocked',
          `${fileName} is too large: the downloads of a run may have ${downloadBytes / 1024 / 1024} MiB together`,
        );
      case 'inProgress':
        if ((await budget.spend(changed.then(() => true))) !== null) continue;
        throw new StepFailure(
          'timeout',
          `${fileName} was not downloaded within ${duration(budget.timeoutMs)}: ${download.bytes} bytes came`,
        );
    }
  }
}

/** Looks through the file piece by piece: it may be larger than what this program should hold. */
async function holds(path: string, text: string): Promise<boolean> {
  const wanted = Buffer.from(text);
  let before = Buffer.alloc(0);
  for await (const piece of createReadStream(path) as AsyncIterable<Buffer>) {
    const seen = Buffer.concat([before, piece]);
    if (seen.includes(wanted)) return true;
    before = seen.subarray(Math.max(0, seen.length - wanted.length + 1));
  }
  return wanted.length === 0;
}
