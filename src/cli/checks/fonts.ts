import { type Check, ok, warning } from './check.ts';

export const fonts: Check = {
  name: 'fonts',
  title: 'Fonts',
  needs: ['page'],
  fix: 'Install some: apt-get install fonts-liberation fonts-noto-core (and fonts-noto-cjk, fonts-noto-color-emoji)',
  limitMs: 45_000,
  async run({ render }) {
    const { inkPixels, hasFonts } = await render();
    if (inkPixels === 0) return warning('text is not shown at all', fonts.fix);
    return hasFonts
      ? ok('text is shown')
      : warning('letters are shown as boxes: no font was found', fonts.fix);
  },
};
