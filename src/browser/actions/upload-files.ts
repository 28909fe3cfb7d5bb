import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import type { DataOf } from '../../flow/node-types/node-types.ts';
import { aboutFile, type RunFiles } from '../step/run-files.ts';
import { isTimeout, StepFailure } from '../step/step-error.ts';
import { type ActOptions, type Attempt, NotYet } from './act-on-element.ts';

/** A file as Playwright takes it. */
interface FileContent {
  name: string;
  mimeType: string;
  buffer: Buffer;
}

type Files = string[] | FileContent[];

/** What the flow gives to a page: paths of this machine where all are, else contents. Throws StepFailure for a file that it may not read. */
export async function filesOf(written: DataOf<'upload'>['files'], files: RunFiles): Promise<Files> {
  const paths: string[] = [];
  for (const each of written) if (typeof each === 'string') paths.push(await files.toRead(each));
  if (paths.length === written.length) return paths;
  const unread = [...paths];
  const contents: FileContent[] = [];
  for (const each of written) {
    if (typeof each === 'string') contents.push(await contentOf(unread.shift() ?? ''));
    else {
      const { name, contentType, text, base64 } = each;
      const buffer = base64 === undefined ? Buffer.from(text ?? '') : Buffer.from(base64, 'base64');
      contents.push({ name, mimeType: contentType ?? typeOf(name), buffer });
    }
  }
  return contents;
}

/** Most that a file beside given contents may hold. Source: Playwright's own bound for contents. */
const mostBytes = 50_000_000;

async function contentOf(path: string): Promise<FileContent> {
  if ((await stat(path)).size > mostBytes) {
    throw new StepFailure('invalid_data', `${basename(path)} is larger than ${mostBytes / 1e6} MB`);
  }
  return {
    name: basename(path),
    mimeType: typeOf(path),
    buffer: await aboutFile(basename(path), readFile(path)),
  };
}

const types: Readonly<Record<string, string>> = {
  csv: 'text/csv',
  gif: 'image/gif',
  html: 'text/html',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  json: 'application/json',
  md: 'text/markdown',
  mp4: 'video/mp4',
  pdf: 'application/pdf',
  png: 'image/png',
  svg: 'image/svg+xml',
  txt: 'text/plain',
  webp: 'image/webp',
  xml: 'text/xml',
  zip: 'application/zip',
};

function typeOf(name: string): string {
  const ending = /\.([a-z0-9]+)$/i.exec(name)?.[1]?.toLowerCase() ?? '';
  return types[ending] ?? 'application/octet-stream';
}

/**
 * Gives files to a file field, hidden or not, to the one a label or a zone has, to the one that a click on the element asks for, or drops
 * them onto it where a click asks for none.
 */
export async function giveFiles(
  locator: Locator,
  files: Files,
  { timeout, signal }: ActOptions,
  { begin, did }: Attempt,
): Promise<void> {
  const endsAt = performance.now() + timeout;
  const left = (): ActOptions => ({ timeout: Math.max(1, endsAt - performance.now()), signal });
  const field = (await locator.evaluateHandle(fileFieldOf, undefined, left())).asElement();
  if (field !== null) {
    try {
      await field.setInputFiles(files, left());
    } catch (error) {
      // The page may have got them, and gets nothing twice.
      if (isTimeout(error)) did();
      throw error;
    } finally {
      void field.dispose().catch(() => {});
    }
    return;
  }
  const chooser = await choosing(locator, left());
  begin();
  if (chooser !== null) return chooser.setFiles(files, left());
  await locator.drop({ files }, left());
}

/** What a click on the element asks for; null when it asks for no file. */
async function choosing(
  locator: Locator,
  options: ActOptions,
): Promise<Awaited<ReturnType<typeof waitForChooser>>> {
  const asked = waitForChooser(locator.page());
  try {
    await locator.click(options);
  } catch (error) {
    asked.catch(() => {});
    throw isTimeout(error) ? new NotYet('it did not take a click') : error;
  }
  return asked;
}

function waitForChooser(page: Page) {
  return page.waitForEvent('filechooser', { timeout: chooserMs }).catch((error: unknown) => {
    if (isTimeout(error)) return null;
    throw error;
  });
}

/** So soon after a click a page has asked for a file, if it does. */
const chooserMs = 1_000;

/** Runs IN THE PAGE, sent as source text: it must not use anything from outside itself. */
function fileFieldOf(element: Element): HTMLInputElement | null {
  const isField = (each: Element | null | undefined): each is HTMLInputElement =>
    each instanceof HTMLInputElement && each.type === 'file';
  const control = element.closest('label')?.control;
  const within =
    element.querySelector('input[type=file]') ?? element.shadowRoot?.querySelector('input[type=file]');
  return [element, control, within].find(isField) ?? null;
}
