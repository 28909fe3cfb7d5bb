import type { NodeType } from '../../flow/node-types/node-types.ts';
import { controlActions } from './control-actions.ts';
import { evidenceActions } from './evidence-actions.ts';
import { formActions } from './form-actions.ts';
import { keyboardActions } from './keyboard-actions.ts';
import { pageActions } from './page-actions.ts';
import { pointerActions } from './pointer-actions.ts';
import { questionActions } from './question-actions.ts';
import type { Action } from './scene.ts';

/** What each node type does: every row of the table in flow/node-types has its action here. */
export const actions: { readonly [Type in NodeType]: Action<Type> } = {
  ...pageActions,
  ...pointerActions,
  ...keyboardActions,
  ...formActions,
  ...questionActions,
  ...evidenceActions,
  ...controlActions,
};
