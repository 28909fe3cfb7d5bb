import { openAddress } from './open-address.ts';
import { type Action, notBuilt } from './scene.ts';

/** Opening, leaving and choosing pages and frames. */
export const pageActions: {
  readonly [Type in
    | 'navigate'
    | 'reload'
    | 'back'
    | 'forward'
    | 'viewport'
    | 'openPage'
    | 'switchPage'
    | 'closePage'
    | 'frame'
    | 'network'
    | 'cookies'
    | 'storageState']: Action<Type>;
} = {
  async navigate({ url }, scene) {
    return { logs: await openAddress(url, scene) };
  },
  reload: notBuilt('reload'),
  back: notBuilt('back'),
  forward: notBuilt('forward'),
  viewport: notBuilt('viewport'),
  openPage: notBuilt('openPage'),
  switchPage: notBuilt('switchPage'),
  closePage: notBuilt('closePage'),
  frame: notBuilt('frame'),
  network: notBuilt('network'),
  cookies: notBuilt('cookies'),
  storageState: notBuilt('storageState'),
};
