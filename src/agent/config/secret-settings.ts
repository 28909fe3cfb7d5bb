import type { Settings } from './setting.ts';

/** Variables of flows that stay on this machine. */
export const secretSettings = {} satisfies Settings;
