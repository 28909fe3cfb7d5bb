import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { browserFound } from '../../../src/cli/checks/browser-found.ts';
import { fonts } from '../../../src/cli/checks/fonts.ts';
import { pageRendered } from '../../../src/cli/checks/page-rendered.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { testBrowser } from '../../support/test-browser.ts';
import { doctorScene } from './doctor-scene.ts';

const real = async () => ({
  env: { QUALINET_BROWSER: (await testBrowser()).path, QUALINET_ALLOW_ROOT: 'true' },
});

/** A program that says it is a Chromium and then does what `script` does. */
async function fakeBrowser(script: string): Promise<{ env: Record<string, string> }> {
  const path = join(await tempFolder(), 'chromium-headless-shell');
  await writeFile(
    path,
    `#!/bin/sh\nif [ "$1" = --version ]; then echo "Chromium 156.0.1.2"; exit 0; fi\n${script}\n`,
  );
  await chmod(path, 0o755);
  return { env: { QUALINET_BROWSER: path, QUALINET_ALLOW_ROOT: 'true' } };
}

describe('the browser', () => {
  it('is found, started, and shows a page with text', async () => {
    const { look, scene } = await doctorScene(await real());
    expect(await look('browser')).toMatchObject({
      status: 'ok',
      detail: expect.stringMatching(/^headless-shell \d+\./),
    });
    expect(await look('page')).toMatchObject({
      status: 'ok',
      detail: expect.stringContaining('shows what was asked for'),
    });
    expect(await look('fonts')).toMatchObject({ status: 'ok' });
    const { inkPixels } = await scene.render();
    expect(inkPixels).toBeGreaterThan(500);
  });

  it('has its sandbox, or a warning says why not', async () => {
    const { env } = await real();
    const refused = await doctorScene({ env: { QUALINET_BROWSER: env.QUALINET_BROWSER } });
    const { look } = await doctorScene({ env });
    const found = await look('sandbox');
    if (process.getuid?.() !== 0) {
      expect(['ok', 'warning']).toContain(found.status);
      return;
    }
    // No runner starts as root unless that is allowed.
    expect(await refused.look('sandbox')).toMatchObject({
      status: 'failed',
      detail: expect.stringContaining('qualinet start is refused as root'),
    });
    expect(found).toMatchObject({ status: 'warning', detail: expect.stringContaining('runs as root') });
    expect(found.fix).toContain('a user of its own');
  });

  it('is not there', async () => {
    const { look } = await doctorScene({ env: { QUALINET_BROWSER: '/no/such/chromium' } });
    expect(await look('browser')).toMatchObject({
      status: 'failed',
      detail: expect.stringContaining('/no/such/chromium, but there is no such file'),
      fix: expect.stringContaining('QUALINET_BROWSER'),
    });
    for (const name of ['page', 'sandbox', 'fonts']) expect((await look(name)).status).toBe('skipped');
  });

  it('is a full Chromium only: a warning names the faster one', async () => {
    const { scene } = await doctorScene(await real());
    const choice = { ...(await scene.findBrowser()), warning: 'the headless shell is faster' };
    const found = await browserFound.run(
      { ...scene, findBrowser: async () => choice },
      new AbortController().signal,
    );
    expect(found).toMatchObject({ status: 'warning', fix: 'qualinet install-browser' });
  });

  it('crashes when it is started', async () => {
    const { look } = await doctorScene(await fakeBrowser('echo "cannot map memory" >&2; kill -SEGV $$'));
    expect((await look('browser')).status).toBe('ok');
    const found = await look('page');
    expect(found).toMatchObject({ status: 'failed', detail: expect.stringContaining('does not start') });
    expect(found.fix).toContain('qualinet install-browser');
    expect(await look('sandbox')).toMatchObject({
      status: 'skipped',
      detail: 'it needs "A page in it", which failed',
    });
  });

  it('lacks a library', async () => {
    const library = 'error while loading shared libraries: libnss3.so: cannot open shared object file';
    const { look } = await doctorScene(await fakeBrowser(`echo "${library}" >&2; exit 127`));
    expect((await look('page')).detail).toContain('libnss3.so');
  });

  it('shows something else than it was asked for, or no letters', async () => {
    const { scene } = await doctorScene(await real());
    const rendering = { isColorRight: false, inkPixels: 0, hasFonts: true, renderMs: 5 };
    const { signal } = new AbortController();
    const blank = { ...scene, render: async () => rendering };
    expect(await pageRendered.run(blank, signal)).toMatchObject({
      status: 'failed',
      detail: expect.stringContaining('does not show'),
    });
    expect(await fonts.run(blank, signal)).toMatchObject({
      status: 'warning',
      fix: expect.stringContaining('fonts-liberation'),
    });
    const boxes = { ...scene, render: async () => ({ ...rendering, inkPixels: 900, hasFonts: false }) };
    expect(await fonts.run(boxes, signal)).toMatchObject({
      status: 'warning',
      detail: expect.stringContaining('boxes'),
    });
  });
});
