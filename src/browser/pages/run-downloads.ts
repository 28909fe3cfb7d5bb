import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContext, CDPSession, Page } from 'playwright-core';

/** A file that a page gave to save. */
export interface Download {
  /** Sanitised: a name of one part that every system can have. */
  readonly fileName: string;
  readonly state: 'inProgress' | 'completed' | 'failed' | 'tooLarge';
  /** So far. */
  readonly bytes: number;
  /** Where it lies on this machine once it is completed, until the run ends. */
  readonly path: string;
}

/**
 * The files that the pages of a run gave to save. They lie in a temporary folder of the run that goes with it; nobody but
 * the steps of the run sees them. Only a run that asks for downloads keeps any: all others have the browser refuse them.
 */
export interface RunDownloads {
  /** Downloads of this page's context are kept from now on. */
  keep(page: Page): Promise<void>;
  /** Those that no step has taken yet, in the order in which they began. */
  waiting(): readonly Download[];
  /** It is waiting no more. */
  take(download: Download): void;
  /** Resolves when a download has begun, gone on or ended. */
  changed(): Promise<void>;
  /** Ends what is under way and deletes the files. Never rejects. */
  close(): Promise<void>;
}

/**
 * Bytes of all downloads of one run together: as much as a report or an installer may have, and little enough for several
 * runs at once on the disk of a small machine.
 */
export const downloadBytes = 100 * 1024 * 1024;
/** Downloads of one run that are looked at; a site may begin any number. */
const maxDownloads = 100;

/** None yet, and none is kept. */
export function createRunDownloads({ mostBytes = downloadBytes } = {}): RunDownloads {
  const known = new Map<string, { -readonly [Field in keyof Download]: Download[Field] }>();
  const taken = new Set<Download>();
  const sessions: CDPSession[] = [];
  let folder: string | null = null;
  let wake: (() => void)[] = [];
  let isClosed = false;

  function tell(): void {
    const woken = wake;
    wake = [];
    for (const each of woken) each();
  }
  const usedBytes = (): number => [...known.values()].reduce((sum, { bytes }) => sum + bytes, 0);

  return {
    async keep(page) {
      folder ??= await mkdtemp(join(tmpdir(), 'qualinet-downloads-'));
      const context = page.context();
      const session = await context.browser()?.newBrowserCDPSession();
      if (session === undefined) return;
      sessions.push(session);
      const browserContextId = await contextIdOf(context, page);
      const inFolder = folder;
      const cancel = (guid: string): void => {
        session.send('Browser.cancelDownload', { guid, browserContextId }).catch(() => {});
      };
      session.on('Browser.downloadWillBegin', ({ guid, suggestedFilename }) => {
        if (known.has(guid)) return;
        if (known.size >= maxDownloads) return cancel(guid);
        const fileName = safeFileName(suggestedFilename);
        known.set(guid, { fileName, state: 'inProgress', bytes: 0, path: join(inFolder, guid) });
        tell();
      });
      session.on('Browser.downloadProgress', ({ guid, receivedBytes, totalBytes, state }) => {
        const download = known.get(guid);
        if (download === undefined || download.state !== 'inProgress') return;
        download.bytes = receivedBytes;
        if (usedBytes() - receivedBytes + Math.max(receivedBytes, totalBytes) > mostBytes) {
          download.state = 'tooLarge';
          download.bytes = 0;
          cancel(guid);
          // What came within one message is complete already, and cannot be cancelled.
          rm(download.path, { force: true }).catch(() => {});
        } else if (state !== 'inProgress') {
          download.state = state === 'completed' ? 'completed' : 'failed';
          if (state !== 'completed') download.bytes = 0;
        }
        tell();
      });
      await session.send('Browser.setDownloadBehavior', {
        behavior: 'allowAndName',
        browserContextId,
        downloadPath: inFolder,
        eventsEnabled: true,
      });
    },
    waiting: () => [...known.values()].filter((download) => !taken.has(download)),
    take: (download) => void taken.add(download),
    changed: () => new Promise((resolve) => wake.push(resolve)),
    async close() {
      if (isClosed) return;
      isClosed = true;
      for (const session of sessions) await session.detach().catch(() => {});
      if (folder !== null) await rm(folder, { recursive: true, force: true, maxRetries: 3 }).catch(() => {});
    },
  };
}

async function contextIdOf(context: BrowserContext, page: Page): Promise<string> {
  const session = await context.newCDPSession(page);
  const { targetInfo } = await session.send('Target.getTargetInfo');
  await session.detach();
  const { browserContextId } = targetInfo;
  if (browserContextId === undefined) throw new Error('the browser did not name the context of a page');
  return browserContextId;
}

/** Longest name that file systems take, in bytes. */
const nameBytes = 255;

/** The name that a page proposes, as a name of one part: without folders, signs that mean something, and names of devices. */
export function safeFileName(proposed: string): string {
  const last = proposed.split(/[\\/]/).at(-1) ?? '';
  const plain = last
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
    .replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069<>:"|?*]/g, '_')
    .replace(/^[.\s]+|[.\s]+$/g, '');
  const [stem = '', ...extensions] = plain.split('.');
  const named = /^(?:con|prn|aux|nul|com\d|lpt\d)$/i.test(stem) ? ['_', stem].join('') : stem;
  const whole = [named, ...extensions].join('.');
  return shortened(whole === '' ? 'download' : whole);
}

/** The end stays: it says what kind of file it is. */
function shortened(name: string): string {
  const signs = [...name];
  while (Buffer.byteLength(signs.join('')) > nameBytes) signs.splice(Math.max(0, signs.length - 32), 1);
  return signs.join('');
}
