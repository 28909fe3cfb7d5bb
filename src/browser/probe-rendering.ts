import type { Page } from 'playwright-core';

/** What a page that was given looks like in a picture of it. */
export interface Rendering {
  /** The area that should have this colour has it. */
  isColorRight: boolean;
  /** Dark pixels where text should be. */
  inkPixels: number;
  /** False where all letters look the same: no font was found. */
  hasFonts: boolean;
}

const limitMs = 10_000;

/** Shows a coloured area and a word in a page nobody uses, takes a picture, and counts its pixels. Throws when a step of it fails. */
export async function probeRendering(page: Page): Promise<Rendering> {
  await page.setContent(
    `<body style="margin:0;background:#fff">
      <div style="width:100px;height:100px;background:rgb(${color.join()})"></div>
      <div style="font:48px sans-serif;color:#000;height:100px">qualinet</div>
    </body>`,
    { timeout: limitMs },
  );
  const clip = { x: 0, y: 0, width: 300, height: 200 };
  const picture = await page.screenshot({ type: 'png', clip, scale: 'css', timeout: limitMs });
  return page.evaluate(countPixels, { png: picture.toString('base64'), color });
}

const color = [18, 140, 98];

/** Runs in the page, which can read its own picture. */
async function countPixels({ png, color }: { png: string; color: readonly number[] }): Promise<Rendering> {
  const image = new Image();
  image.src = `data:image/png;base64,${png}`;
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = image.width;
  canvas.height = image.height;
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('the page has no canvas');
  context.drawImage(image, 0, 0);
  const middle = context.getImageData(50, 50, 1, 1).data;
  const text = context.getImageData(0, 100, canvas.width, 100).data;
  let inkPixels = 0;
  for (let at = 0; at < text.length; at += 4) if ((text[at] ?? 255) < 100) inkPixels += 1;
  context.font = '48px sans-serif';
  return {
    isColorRight: color.every((part, index) => Math.abs(part - (middle[index] ?? -99)) <= 3),
    inkPixels,
    // Boxes that stand for missing letters are all equally wide.
    hasFonts: context.measureText('iiii').width !== context.measureText('WWWW').width,
  };
}
