import type { DraftStep } from '../lay-out-flow.ts';
import { Unsayable } from './spell-locator.ts';

/** The step that a method of the browser context is. Throws Unsayable for one that no step says. */
export function contextStep(owner: string, method: string, [first]: readonly unknown[]): DraftStep {
  switch (`${owner}.${method}`) {
    case 'context.storageState':
      return { type: 'storageState', data: { action: 'save', file: Reflect.get(Object(first), 'path') } };
    case 'context.clearCookies':
      return { type: 'cookies', data: { action: 'clear' } };
    case 'context.addCookies':
      return { type: 'cookies', data: { action: 'set', cookies: first } };
    case 'context.setOffline':
      return { type: 'network', data: first === true ? { offline: true } : {} };
    default:
      throw new Unsayable(`there is no step for ${owner}.${method}()`);
  }
}

/** What a listener for dialogs answers, read of its source: `dialog => dialog.accept('text')`. */
export function dialogAnswer(source: string): Record<string, unknown> {
  const accepted = /\.accept\(\s*(?:(['"])((?:\\.|(?!\1).)*)\1)?\s*\)/s.exec(source);
  if (accepted !== null) {
    const text = accepted[2]?.replaceAll(/\\(.)/gs, '$1');
    return { action: 'accept', ...(text === undefined ? {} : { text }), required: false };
  }
  if (!source.includes('.dismiss(')) throw new Unsayable('a dialog that is answered otherwise');
  return { action: 'dismiss', required: false };
}
