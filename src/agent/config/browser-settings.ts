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
  /** Null for none. */
  filesFolder: setting({
    variables: ['QUALINET_FILES'],
    flag: '--files',
    summary: 'The only folder whose files flows may upload, and where they may keep some (default: none)',
    value: optionalText,
  }),
  isRootAllowed: setting({
    variables: ['QUALINET_ALLOW_ROOT'],
    flag: '--allow-root',
    summary: '`true` lets the runner be root, and Chromium go without its sandbox then',
    value: yesOrNo,
  }),
};
