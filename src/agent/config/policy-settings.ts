import type { Settings } from './setting.ts';

/** What this machine lets the server ask for. */
export const policySettings = {} satisfies Settings;
