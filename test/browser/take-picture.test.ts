import { describe, expect, it } from 'vitest';
import { takePicture } from '../../src/browser/evidence/take-picture.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { limits } from '../../src/protocol/limits.ts';
import { browserTests } from '../support/flow-in-browser.ts';

const site = browserTests({
  '/secret': '<input type="password" value="short">',
  '/longer': '<input type="password" value="a much longer one">',
  '/noise': `<body style="margin:0"><canvas width="1800" height="1400"></canvas><script>
    const context = document.querySelector('canvas').getContext('2d');
    const image = context.createImageData(1800, 1400);
    for (let i = 0; i < image.data.length; i += 65536) crypto.getRandomValues(image.data.subarray(i, i + 65536));
    for (let i = 3; i < image.data.length; i += 4) image.data[i] = 255;
    context.putImageData(image, 0, 0);</script>`,
  '/slow': () => {},
  '/busy': '<script>setTimeout(() => { for (;;) {} }, 50)</script>',
});

const halt = new AbortController().signal;

async function pictureOf(path: string, size?: { width: number; height: number }) {
  const opened = await site.browser().newRun();
  try {
    if (size !== undefined) await opened.page.setViewportSize(size);
    await opened.page.goto(site.url(path));
    return await takePicture(opened.page, { clock: systemClock, halt });
  } finally {
    await opened.close();
  }
}

describe('the picture of a failure', () => {
  it('does not show how long a password is', async () => {
    const [short, long] = [await pictureOf('/secret'), await pictureOf('/longer')];
    if (!('bytes' in short) || !('bytes' in long)) throw new Error('no picture');
    expect(Buffer.compare(short.bytes, long.bytes)).toBe(0);
  });

  it('is no larger than may be uploaded', async () => {
    const picture = await pictureOf('/noise', { width: 1500, height: 1200 });
    if (!('bytes' in picture)) throw new Error(picture.problem);
    expect(picture.contentType).toBe('image/jpeg');
    expect(picture.bytes.length).toBeLessThan(limits.artifactBytes);
  });

  it('is taken while a navigation is under way, every time', async () => {
    const opened = await site.browser().newRun();
    await opened.page.goto(site.url('/secret'));
    const pictures: string[] = [];
    for (let attempt = 0; attempt < 10; attempt += 1) {
      const going = opened.page.goto(site.url(attempt % 2 === 0 ? '/slow' : '/secret')).catch(() => {});
      const picture = await takePicture(opened.page, { clock: systemClock, halt });
      await going;
      pictures.push('bytes' in picture ? 'taken' : picture.problem);
      // The one before may still be on its way out and interrupt this one; only the picture is judged here.
      await opened.page.goto(site.url('/longer')).catch(() => {});
    }
    await opened.close();
    expect(pictures).toEqual(Array.from({ length: 10 }, () => 'taken'));
  });

  it('is given up in time where a script keeps the page busy, and says so', async () => {
    const opened = await site.browser().newRun();
    await opened.page.goto(site.url('/busy'));
    await opened.page.waitForTimeout(100);
    const startedAt = performance.now();
    const picture = await takePicture(opened.page, { clock: systemClock, halt, limitMs: 500 });
    expect(picture).toEqual({ problem: 'the page did not let itself be pictured in time' });
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    await opened.close();
  });
});
