import { access, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createRunDownloads, safeFileName } from '../../../src/browser/pages/run-downloads.ts';
import { filesIn } from '../../../src/browser/step/run-files.ts';
import { browserTests, type ShortStep } from '../../support/flow-in-browser.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { until } from '../../support/until.ts';

const site = browserTests({
  '/': `<a id="report" href="/report">Report</a><a id="blank" href="/report" target="_blank">Report</a>
    <a id="breaks" href="/breaks">Breaks</a><a id="endless" href="/endless">Endless</a><a id="slow" href="/slow">Slow</a>
    <button id="made" onclick="const a = document.createElement('a'); a.href = window.URL.createObjectURL(new Blob(['made here'])); a.download = 'made.csv'; a.click()">Made</button>`,
  '/report': (response) =>
    response
      .writeHead(200, { 'content-disposition': 'attachment; filename="report.txt"' })
      .end('total: 42\n'),
  '/evil': (response) =>
    response.writeHead(200, { 'content-disposition': 'attachment; filename="../../.bashrc"' }).end('evil'),
  '/breaks': (response) => {
    response.writeHead(200, {
      'content-disposition': 'attachment; filename="half.bin"',
      'content-type': 'application/zip',
      'content-length': '1000',
    });
    response.write('half');
    setTimeout(() => response.destroy(), 100);
  },
  '/slow': (response) => {
    response
      .writeHead(200, {
        'content-disposition': 'attachment; filename="slow.bin"',
        'content-type': 'application/zip',
      })
      .write('some');
  },
  '/endless': (response) => {
    response.writeHead(200, { 'content-disposition': 'attachment; filename="endless.bin"' });
    const more = (): void => {
      if (!response.destroyed && response.write(Buffer.alloc(64 * 1024))) setImmediate(more);
    };
    response.on('drain', more);
    more();
  },
});

const home = (): ShortStep => ['navigate', { url: site.url('/') }];
const click = (selector: string): ShortStep => ['click', { selector }];

describe('a download step', () => {
  it('takes the file that the step before has begun to download, by name and size', async () => {
    const { result } = await site.run([
      home(),
      click('#report'),
      ['download', { fileName: 'report.txt', contains: 'total: 42', minBytes: 10, variable: 'file' }],
      ['log', { message: 'got {{file}}' }],
    ]);
    expect(result.stepsResult.map(({ error }) => error)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect(result.stepsResult[2]).toMatchObject({
      logs: 'Downloaded report.txt (10 bytes)',
      download: { fileName: 'report.txt', bytes: 10 },
      extracted: { variable: 'file', value: 'report.txt' },
    });
    expect(JSON.stringify(result)).not.toContain('total: 42');
    expect(result.stepsResult[3]?.logs).toBe('got report.txt');
  });

  it.each(['#made', '#blank'])('takes what a script makes, and what opens beside: %s', async (selector) => {
    const { result } = await site.run([home(), click(selector), ['download', {}]]);
    expect(result.stepsResult[2]?.download?.bytes).toBeGreaterThan(0);
  });

  it('keeps the file in the folder of files', async () => {
    const folder = await tempFolder();
    const { result } = await site.run([home(), click('#report'), ['download', { save: 'kept/report.txt' }]], {
      files: filesIn(folder),
    });
    expect(result.status).toBe('passed');
    expect(await readFile(join(folder, 'kept/report.txt'), 'utf8')).toBe('total: 42\n');
  });

  it('keeps nothing outside of that folder, nor where there is none', async () => {
    const folder = await tempFolder();
    const outside = await site.run([home(), click('#report'), ['download', { save: '../report.txt' }]], {
      files: filesIn(join(folder, 'files')),
    });
    expect(outside.result.stepsResult[2]).toMatchObject({ errorKind: 'blocked' });
    await expect(access(join(folder, 'report.txt'))).rejects.toThrow();
    const none = await site.run([home(), click('#report'), ['download', { save: 'report.txt' }]]);
    expect(none.result.stepsResult[2]).toMatchObject({ errorKind: 'blocked' });
  });

  it('follows an address that is a file and no page', async () => {
    const { result } = await site.run([
      ['navigate', { url: site.url('/report') }],
      ['download', { fileName: 'port', match: 'contains' }],
    ]);
    expect(result.stepsResult.map(({ logs, error }) => error ?? logs)).toEqual([
      'Opened a file to save',
      'Downloaded report.txt (10 bytes)',
    ]);
  });

  it('takes one after the other', async () => {
    const { result } = await site.run([
      home(),
      click('#report'),
      click('#made'),
      ['download', { fileName: 'made.csv' }],
      ['download', {}],
    ]);
    expect(result.stepsResult.slice(3).map(({ download }) => download?.fileName)).toEqual([
      'made.csv',
      'report.txt',
    ]);
  });

  it('says what is wrong with the file', async () => {
    const failing = async (data: Record<string, unknown>) =>
      (await site.run([home(), click('#report'), ['download', { timeoutMs: 1_000, ...data }]])).result
        .stepsResult[2];
    expect(await failing({ minBytes: 11 })).toMatchObject({
      errorKind: 'assertion',
      error: 'report.txt has 10 bytes, fewer than 11',
    });
    expect(await failing({ contains: 'total: 43' })).toMatchObject({
      errorKind: 'assertion',
      error: 'report.txt does not contain "total: 43"',
    });
    expect(await failing({ fileName: 'other.txt' })).toMatchObject({
      errorKind: 'assertion',
      error: 'no download with the name "other.txt" began within 1.0 s, but report.txt',
    });
  });

  it('says that none began, that one broke off, and that one did not end', async () => {
    const endAfter = async (steps: ShortStep[]) =>
      (await site.run([home(), ...steps, ['download', { timeoutMs: 1_500 }]])).result.stepsResult.at(-1);
    expect(await endAfter([])).toMatchObject({
      errorKind: 'timeout',
      error: 'no download began within 1.5 s',
    });
    expect(await endAfter([click('#breaks')])).toMatchObject({
      errorKind: 'navigation',
      error: 'the download of half.bin broke off',
    });
    expect(await endAfter([click('#slow')])).toMatchObject({
      errorKind: 'timeout',
      error: expect.stringMatching(/^slow.bin was not downloaded within 1.5 s: \d+ bytes came$/),
    });
  });

  it('leaves nothing on the disk when the run is over', async () => {
    const folders = async () =>
      (await readdir(tmpdir())).filter((name) => name.startsWith('qualinet-downloads-'));
    const before = await folders();
    await site.run([home(), click('#report'), ['download', {}]]);
    await site.browser().settled();
    await until('the folder is gone', async () => (await folders()).every((name) => before.includes(name)));
  });
});

describe('downloads', () => {
  it('are cut off when they are more than a run may keep', async () => {
    const opened = await site.browser().newRun();
    const downloads = createRunDownloads({ mostBytes: 300_000 });
    await downloads.keep(opened.page);
    await opened.page.goto(site.url('/'));
    await opened.page.click('#endless');
    await until('it is cut off', () => downloads.waiting()[0]?.state === 'tooLarge');
    await opened.page.goto('about:blank');
    await downloads.close();
    await opened.close();
  });

  it('have names that do no harm', () => {
    expect(safeFileName('../../.bashrc')).toBe('bashrc');
    expect(safeFileName('C:\\windows\\system32\\a.dll')).toBe('a.dll');
    expect(safeFileName('report\u0000\n.txt')).toBe('report__.txt');
    expect(safeFileName('invoice\u202efdp.exe')).toBe('invoice_fdp.exe');
    expect(safeFileName('CON.txt')).toBe('_CON.txt');
    expect(safeFileName('...')).toBe('download');
    expect(safeFileName('a:b|c?.txt')).toBe('a_b_c_.txt');
    const long = safeFileName(`${'ü'.repeat(400)}.tar.gz`);
    expect(Buffer.byteLength(long)).toBeLessThanOrEqual(255);
    expect(long).toMatch(/\.tar\.gz$/);
  });
});
