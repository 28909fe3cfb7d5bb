import { describe, expect, it } from 'vitest';
import { limits } from '../../../src/protocol/limits.ts';
import { browserTests, type RunSeen, type ShortStep } from '../../support/flow-in-browser.ts';
import { maskedShare } from '../../support/picture-pixels.ts';
import { secretsOf } from '../../support/secret.ts';

const noise = `<script>
  for (const canvas of document.querySelectorAll('canvas')) {
    const context = canvas.getContext('2d');
    const image = context.createImageData(canvas.width, canvas.height);
    for (let i = 0; i < image.data.length; i += 65536) crypto.getRandomValues(image.data.subarray(i, i + 65536));
    for (let i = 3; i < image.data.length; i += 4) image.data[i] = 255;
    context.putImageData(image, 0, 0);
  }</script>`;

const site = browserTests({
  '/long': `<body style="margin:0"><div style="height:3000px"></div><input type="password" id="pw" style="position:absolute;left:10px;top:2900px;width:200px;height:30px;border:0" value="secret">
    <div id="box" style="position:absolute;left:0;top:100px;width:120px;height:40px;background:#0f0">box</div>`,
  '/endless': '<body style="margin:0"><div style="height:200000px">long</div>',
  '/noise': `<body style="margin:0"><canvas width="1200" height="1600"></canvas>${noise}`,
  '/echo': `<body style="margin:0"><input id="pw" style="position:absolute;left:10px;top:50px;width:200px;height:30px;border:0">
    <p id="echo" style="position:absolute;left:10px;top:2000px;margin:0;width:300px;height:20px"></p>
    <script>pw.addEventListener('input', () => { echo.textContent = pw.value });</script>`,
  '/busy': '<script>setTimeout(() => { for (;;) {} }, 300)</script>',
});

const open = (path: string): ShortStep => ['navigate', { url: site.url(path) }];
const pictureIn = ({ pictures }: RunSeen) => {
  const [picture] = pictures;
  if (picture === undefined) throw new Error('no picture');
  return picture;
};
/** Width and height of a PNG. */
const sizeOf = ({ pictures }: RunSeen) => {
  const view = Buffer.from(pictures[0]?.bytes ?? []);
  return [view.readUInt32BE(16), view.readUInt32BE(20)];
};

describe('a screenshot step', () => {
  it('keeps a picture of the window, and its result says where', async () => {
    const seen = await site.run([open('/long'), ['screenshot', {}]]);
    expect(seen.result.stepsResult[1]).toMatchObject({
      status: 'passed',
      logs: 'Pictured the window',
      screenshotUrl: 'https://pictures.test/2',
    });
    expect(seen.events.at(-1)).toMatchObject({ screenshotUrl: 'https://pictures.test/2' });
    expect(sizeOf(seen)).toEqual([1280, 720]);
  });

  it('keeps the whole page, with what must not be seen masked all the way down', async () => {
    const seen = await site.run([open('/long'), ['screenshot', { fullPage: true }]]);
    expect(sizeOf(seen)).toEqual([1280, 3000]);
    const opened = await site.browser().newRun();
    const share = await maskedShare(opened.page, pictureIn(seen), { x: 12, y: 2902, width: 196, height: 26 });
    await opened.close();
    expect(share).toBeGreaterThan(0.99);
  });

  it('keeps an element', async () => {
    const seen = await site.run([open('/long'), ['screenshot', { selectors: ['#none', '#box'] }]]);
    expect(sizeOf(seen)).toEqual([120, 40]);
    expect(seen.result.stepsResult[1]?.healed).toMatchObject({ selector: '#box', insteadOf: '#none' });
  });

  it('masks an element that shows a secret, and a secret further down the page', async () => {
    const secrets = secretsOf({ PASSWORD: { value: 'hunter2-secret' } });
    const typed: ShortStep[] = [open('/echo'), ['type', { selector: '#pw', value: '{{PASSWORD}}' }]];
    const element = await site.run([...typed, ['screenshot', { selector: '#echo' }]], { secrets });
    const page = await site.run([...typed, ['screenshot', { fullPage: true }]], { secrets });
    const opened = await site.browser().newRun();
    const shares = [
      await maskedShare(opened.page, pictureIn(element), { x: 0, y: 0, width: 300, height: 20 }),
      await maskedShare(opened.page, pictureIn(page), { x: 10, y: 2000, width: 300, height: 20 }),
      await maskedShare(opened.page, pictureIn(page), { x: 12, y: 52, width: 196, height: 26 }),
    ];
    await opened.close();
    for (const share of shares) expect(share).toBeGreaterThan(0.99);
  });

  it('is no larger than may be uploaded, and no longer than can be drawn', async () => {
    const noisy = pictureIn(await site.run([open('/noise'), ['screenshot', { fullPage: true }]]));
    expect(noisy.contentType).toBe('image/jpeg');
    expect(noisy.bytes.length).toBeLessThanOrEqual(limits.artifactBytes);
    const endless = await site.run([open('/endless'), ['screenshot', { fullPage: true }]]);
    expect(sizeOf(endless)).toEqual([1280, 16_384]);
  });

  it('passes when the picture was taken and could not be stored, and says so', async () => {
    const { result } = await site.run([open('/long'), ['screenshot', {}]], {
      keepScreenshot: () => Promise.resolve({ problem: 'the disk is full' }),
    });
    expect(result.status).toBe('passed');
    expect(result.stepsResult[1]).toMatchObject({ screenshotProblem: 'the disk is full' });
  });

  it('fails when no picture can be taken', async () => {
    const { result } = await site.run([
      open('/busy'),
      ['wait', { ms: 500 }],
      ['screenshot', { timeoutMs: 500 }],
    ]);
    expect(result.stepsResult[2]).toMatchObject({ status: 'failed' });
    expect(result.stepsResult[2]?.error).toMatch(/picture/);
    expect(result.durationMs).toBeLessThan(20_000);
  });
});
