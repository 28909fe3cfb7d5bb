import type { Settings } from './setting.ts';

/** Which part of the network flows may reach, and which way they go there. */
export const networkSettings = {} satisfies Settings;
