import { readFile, stat, writeFile } from 'node:fs/promises';
import type { DataOf } from '../../flow/node-types/node-types.ts';
import { readSavedState, type SavedState } from '../../flow/saved-state.ts';
import { counted } from '../../lib/counted.ts';
import { aboutFile } from '../step/run-files.ts';
import { StepFailure } from '../step/step-error.ts';
import type { Action, Scene } from './scene.ts';

/** What sites keep in the browser. */
export const cookieActions: { readonly [Type in 'cookies' | 'storageState']: Action<Type> } = {
  async cookies({ action = 'set', cookies = [], names = [] }, scene) {
    const context = scene.page.context();
    scene.ensureMayAct();
    if (action === 'set') {
      await context.addCookies(cookies.map((cookie) => completeCookie(cookie, scene)));
      return { logs: `Set ${counted(cookies.length, 'cookie')}` };
    }
    if (names.length === 0) await context.clearCookies();
    for (const name of names) await context.clearCookies({ name });
    return { logs: names.length === 0 ? 'Cleared all cookies' : `Cleared the cookies ${names.join(', ')}` };
  },

  async storageState({ action, file }, { page, files, ensureMayAct }) {
    const context = page.context();
    if (action === 'save') {
      const path = await files.toWrite(file);
      const state = await context.storageState();
      ensureMayAct();
      // It opens what its owner is logged in to.
      await aboutFile(file, writeFile(path, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 }));
      return { logs: `Saved ${whatIsIn(state)} into ${file}` };
    }
    const path = await files.toRead(file);
    if ((await stat(path)).size > mostBytes) {
      throw new StepFailure('invalid_data', `${file} is larger than ${mostBytes / 1e6} MB`);
    }
    const state = stateIn(file, await aboutFile(file, readFile(path, 'utf8')));
    ensureMayAct();
    await context.setStorageState(state);
    return { logs: `Loaded ${whatIsIn(state)} from ${file}` };
  },
};

/** Most that a file of cookies and local storage may hold: browsers give a site 5 MB, and a flow uses few sites. */
const mostBytes = 50_000_000;

type CookieData = NonNullable<DataOf<'cookies'>['cookies']>[number];
type PlaywrightCookies = Parameters<ReturnType<Scene['page']['context']>['addCookies']>[0];

/** A cookie that says nothing of where it belongs is of the page that the flow is in. */
function completeCookie(
  { domain, path, url, ...cookie }: CookieData,
  { page }: Scene,
): PlaywrightCookies[number] {
  const given = Object.fromEntries(Object.entries(cookie).filter(([, value]) => value !== undefined));
  const named = { ...given, name: cookie.name, value: cookie.value };
  if (domain !== undefined) return { ...named, domain, path: path ?? '/' };
  const address = url ?? page.url();
  if (!URL.canParse(address) || !/^https?:/.test(address)) {
    throw new StepFailure(
      'invalid_data',
      `the cookie ${cookie.name} needs a url or a domain: the flow is at ${address}`,
    );
  }
  const { hostname, href } = new URL(address);
  // Playwright takes an address or a domain with a path, not an address with a path of its own.
  return path === undefined ? { ...named, url: href } : { ...named, domain: hostname, path };
}

function stateIn(file: string, text: string): SavedState {
  const state = readSavedState(text);
  if (state !== null) return state;
  throw new StepFailure('invalid_data', `${file} holds no cookies and local storage as a step saves them`);
}

function whatIsIn({ cookies, origins }: SavedState): string {
  return `${counted(cookies.length, 'cookie')} and the local storage of ${counted(origins.length, 'site')}`;
}
