import { type Action, notBuilt } from './scene.ts';
import { scriptActions } from './script-actions.ts';

/** Deciding, and everything a flow does with its variables. What a branch leads to is for execute-flow.ts. */
export const controlActions: {
  readonly [Type in 'if' | 'loop' | 'subflow' | 'setVariable' | 'evaluate' | 'log']: Action<Type>;
} = {
  log: ({ message }) => Promise.resolve({ logs: message }),
  if: notBuilt('if'),
  loop: notBuilt('loop'),
  subflow: notBuilt('subflow'),
  ...scriptActions,
};
