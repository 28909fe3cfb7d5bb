import { answerDialog } from './answer-dialog.ts';
import { pictureStep } from './picture-step.ts';
import type { Action } from './scene.ts';
import { takeDownload } from './take-download.ts';

/** Pictures, dialogs and downloads. */
export const evidenceActions: { readonly [Type in 'screenshot' | 'dialog' | 'download']: Action<Type> } = {
  screenshot: pictureStep,
  dialog: answerDialog,
  download: takeDownload,
};
