import { setting } from './setting.ts';
import { optionalText } from './values.ts';

/** What this machine lets the server ask for. */
export const policySettings = {
  /** Null where nothing names one; `start` then looks for `<home>/policy.json`. */
  policyPath: setting({
    variables: ['QUALINET_POLICY'],
    flag: '--policy',
    summary: 'Rules that no server can loosen (default for `start`: `policy.json` in `QUALINET_HOME`)',
    value: optionalText,
  }),
};
