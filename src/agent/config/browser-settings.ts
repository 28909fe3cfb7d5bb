import { setting } from './setting.ts';
import { optionalText, yesOrNo } from './values.ts';

/** Which Chromium flows run in, and how it is held. */
export const browserSettings = {
  /** Null for whatever is found. */
  browserPath: setting({
    variables: ['QUALINET_BROWSER'],
    flag: '--browser',
    summary: 'Path of the Chromium to use (default: what is found)',
    value: optionalText,
  }),
  isRootAllowed: setting({
    variables: ['QUALINET_ALLOW_ROOT'],
    flag: '--allow-root',
    summary: '`true` lets the runner be root, and Chromium go without its sandbox then',
    value: yesOrNo,
  }),
};
