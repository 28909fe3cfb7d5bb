import * as z from 'zod';
import { type NodeTypeEntry, navigationTimeoutMs, withoutElement } from './entry.ts';
import {
  address,
  flag,
  frameStep,
  milliseconds,
  number,
  oneOf,
  place,
  text,
  timing,
  wholeNumber,
  word,
} from './fields.ts';

/** When a page counts as opened. */
const waitUntil = oneOf(['load', 'domcontentloaded', 'networkidle', 'commit']).optional();

const history = (aliases: NodeTypeEntry['aliases'], summary: string) =>
  ({
    aliases,
    ...withoutElement,
    defaultTimeoutMs: navigationTimeoutMs,
    summary,
    data: z.strictObject({ page: place.page, waitUntil, ...timing }),
  }) as const satisfies NodeTypeEntry;

/** Opening, leaving and choosing pages and frames, and how the browser shows them. */
export const pageTypes = {
  navigate: {
    aliases: { goto: {} },
    ...withoutElement,
    defaultTimeoutMs: navigationTimeoutMs,
    secrets: 'address',
    summary: 'Open `url` (http or https)',
    data: z.strictObject({
      url: address,
      page: place.page,
      waitUntil,
      referer: address.optional(),
      ...timing,
    }),
  },
  reload: history({ refresh: {} }, 'Load the page again'),
  back: history({ goback: {} }, 'Go back in the history of the page'),
  forward: history({ goforward: {} }, 'Go forward in the history of the page'),
  viewport: {
    aliases: { setviewport: {}, setwindowsize: {} },
    ...withoutElement,
    summary: 'Size of the window in CSS pixels; as the first step also pixel ratio, touch and mobile layout',
    data: z.strictObject({
      width: wholeNumber(1, 10_000, 'pixels'),
      height: wholeNumber(1, 10_000, 'pixels'),
      deviceScaleFactor: number(0.1, 10).optional(),
      isMobile: flag.optional(),
      hasTouch: flag.optional(),
      isLandscape: flag.optional(),
      page: place.page,
      ...timing,
    }),
  },
  openPage: {
    aliases: { newpage: {}, newtab: {} },
    ...withoutElement,
    defaultTimeoutMs: navigationTimeoutMs,
    secrets: 'address',
    summary:
      'Open another page beside, at `url` if there is one, and go on in it; `name` is what it is called from then on',
    data: z.strictObject({ url: address.optional(), name: word(100).optional(), waitUntil, ...timing }),
  },
  switchPage: {
    aliases: { switchtab: {}, selectwindow: {} },
    ...withoutElement,
    summary:
      'Go on in another page, waiting for it to open: `main`, `latest`, `current`, its name, its number from 0, or a part of its address; `name` gives it a name',
    data: z.strictObject({ page: word(), name: word(100).optional(), ...timing }),
  },
  closePage: {
    aliases: { close: {}, closetab: {} },
    ...withoutElement,
    summary: 'Close the page the flow is in, or `page`; it goes on in the page before it',
    data: z.strictObject({ page: place.page, ...timing }),
  },
  frame: {
    aliases: { switchframe: {}, selectframe: {} },
    ...withoutElement,
    summary:
      'Go on in a frame: `to` `main`, `parent`, or `child` by `frame`, a selector or a number from 0; a list leads inwards',
    data: z.strictObject({
      to: oneOf(['main', 'parent', 'child']).optional(),
      frame: z
        .union(
          [frameStep, z.array(frameStep).min(1, 'is empty').max(20)],
          'must be a number, a selector or a list',
        )
        .optional(),
      ...timing,
    }),
    faults: ({ to, frame }) =>
      (to === undefined || to === 'child') && frame === undefined ? ['frame: is missing'] : [],
  },
  network: {
    aliases: { emulatenetworkconditions: {}, networkconditions: {} },
    ...withoutElement,
    summary:
      'Network of the pages from now on: `offline`, or bytes a second and latency; without fields as it was',
    data: z.strictObject({
      offline: flag.optional(),
      downloadBytesPerSecond: number(0, 1e12).optional(),
      uploadBytesPerSecond: number(0, 1e12).optional(),
      latencyMs: milliseconds(0).optional(),
      ...timing,
    }),
  },
  cookies: {
    aliases: { setcookies: {}, clearcookies: { action: 'clear' } },
    ...withoutElement,
    hasSideEffects: true,
    summary: 'Set `cookies`, or clear all, or those of the names in `names`',
    data: z.strictObject({
      action: oneOf(['set', 'clear']).optional(),
      cookies: z
        .array(
          z.strictObject({
            name: word(),
            value: text,
            url: address.optional(),
            domain: word().optional(),
            path: word().optional(),
            expires: number(-1, 1e12).optional(),
            httpOnly: flag.optional(),
            secure: flag.optional(),
            sameSite: oneOf(['Strict', 'Lax', 'None']).optional(),
          }),
          'must be a list of cookies',
        )
        .max(200)
        .optional(),
      names: z.array(word(), 'must be a list of names').max(200).optional(),
      ...timing,
    }),
    faults: ({ action, cookies }) =>
      (action === undefined || action === 'set') && cookies === undefined ? ['cookies: is missing'] : [],
  },
  storageState: {
    aliases: {},
    ...withoutElement,
    hasSideEffects: true,
    summary:
      "Save cookies and local storage into `file`, or load them from it; within this machine's folder of files",
    data: z.strictObject({ action: oneOf(['save', 'load']), file: word(), ...timing }),
  },
} as const satisfies Record<string, NodeTypeEntry>;
