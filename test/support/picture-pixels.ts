import type { Page } from 'playwright-core';

/** Share of the pixels in a box of a picture that have the colour of a mask. The picture is decoded by a browser's canvas. */
export async function maskedShare(
  page: Page,
  { bytes, contentType }: { bytes: Uint8Array; contentType: string },
  box: { x: number; y: number; width: number; height: number },
): Promise<number> {
  const url = `data:${contentType};base64,${Buffer.from(bytes).toString('base64')}`;
  return page.evaluate(
    async ({ address, x, y, width, height }) => {
      const image = new Image();
      image.src = address;
      await image.decode();
      const canvas = document.createElement('canvas');
      canvas.width = image.width;
      canvas.height = image.height;
      const context = canvas.getContext('2d');
      if (context === null) throw new Error('no canvas');
      context.drawImage(image, 0, 0);
      const { data } = context.getImageData(x, y, width, height);
      let masked = 0;
      for (let at = 0; at < data.length; at += 4) {
        const [red = 0, green = 0, blue = 0] = [data[at], data[at + 1], data[at + 2]];
        if (red > 230 && green < 40 && blue > 230) masked += 1;
      }
      return masked / (data.length / 4);
    },
    { address: url, ...box },
  );
}
