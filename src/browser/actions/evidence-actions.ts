import { type Action, notBuilt } from './scene.ts';

/** Pictures, dialogs and downloads. */
export const evidenceActions: { readonly [Type in 'screenshot' | 'dialog' | 'download']: Action<Type> } = {
  screenshot: notBuilt('screenshot'),
  dialog: notBuilt('dialog'),
  download: notBuilt('download'),
};
