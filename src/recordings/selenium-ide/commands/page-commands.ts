import { isLocator } from '../locators.ts';
import { NotKept } from '../not-kept.ts';
import type { CommandRules } from './command-rule.ts';

/** Addresses, windows, frames and time. */
export const pageCommands: CommandRules = {
  open: ({ target }, context) => [{ type: 'navigate', data: { url: context.address(target) } }],
  refresh: () => [{ type: 'reload', data: {} }],
  goBack: () => [{ type: 'back', data: {} }],
  waitForPageToLoad: ({ target, value }, context) => [
    { type: 'waitFor', data: { load: 'load', ...timeout(target.trim() || value.trim(), context.text) } },
  ],
  setWindowSize({ target }, context) {
    const size = context.text(target);
    if (size === '') {
      context.note('setWindowSize says no size and is passed over');
      return [];
    }
    const [, width, height] = /^(\d+|\{\{[^}]+\}\})\s*[x,]\s*(\d+|\{\{[^}]+\}\})$/i.exec(size) ?? [];
    if (width === undefined || height === undefined)
      throw new NotKept(`"${size}" is no size such as 1280x800`);
    return [{ type: 'viewport', data: { width: asNumber(width), height: asNumber(height) } }];
  },
  pause({ target, value }, context) {
    const ms = context.text(target) || context.text(value);
    if (!/^(\d+|\{\{[^}]+\}\})$/.test(ms)) throw new NotKept(`"${ms}" is no number of milliseconds`);
    if (Number(ms) > longestWaitMs) throw new NotKept('a step waits at most 15 minutes');
    return [{ type: 'wait', data: { ms: asNumber(ms) } }];
  },
  close: () => [{ type: 'closePage', data: {} }],
  selectWindow({ target }, context) {
    const [, kind, named] = /^(handle|win_ser|tab)[=_](.*)$/.exec(target.trim()) ?? [];
    if (kind === 'handle' && named !== undefined && named !== '') {
      return [{ type: 'switchPage', data: { page: context.windowName(named) } }];
    }
    if (named === 'local' || target.trim() === 'null')
      return [{ type: 'switchPage', data: { page: 'main' } }];
    if (kind !== undefined && named !== undefined && /^\d+$/.test(named)) {
      return [{ type: 'switchPage', data: { page: named } }];
    }
    throw new NotKept(
      target.trim() === '' ? 'it names no window' : `"${target}" is no handle=\${…} and no win_ser_ number`,
    );
  },
  storeWindowHandle({ target, value }, context) {
    const written = target.trim() || value.trim();
    const variable = context.variable(written);
    const name = context.windowName(written);
    return [
      { type: 'switchPage', data: { page: 'current', name } },
      ...(context.isRead(written) ? [{ type: 'setVariable', data: { variable, value: name } }] : []),
    ];
  },
  selectFrame({ target }, context) {
    const frame = context.text(target);
    if (frame === 'relative=top') return [{ type: 'frame', data: { to: 'main' } }];
    if (frame === 'relative=parent') return [{ type: 'frame', data: { to: 'parent' } }];
    const [, path] = /^index=(.+)$/.exec(frame) ?? [];
    // `index=..\1` leads out and in again: to the second frame beside this one.
    if (path !== undefined) return path.split('\\').map(frameStep);
    if (!isLocator(frame)) throw new NotKept(frame === '' ? 'it names no frame' : `"${frame}" is no frame`);
    return [{ type: 'frame', data: { to: 'child', frame } }];
  },
};

/** Longest that a step of ours may take. */
const longestWaitMs = 15 * 60_000;

/** `timeoutMs` of a step, from the time in ms that a command says; nothing where it says none. */
export function timeout(written: string, text: (written: string) => string): { timeoutMs?: number | string } {
  const ms = text(written);
  if (/^\{\{[^}]+\}\}$/.test(ms)) return { timeoutMs: ms };
  return /^\d+$/.test(ms) && Number(ms) > 0 ? { timeoutMs: Math.min(Number(ms), longestWaitMs) } : {};
}

function frameStep(step: string): { type: string; data: Record<string, unknown> } {
  if (step === '..') return { type: 'frame', data: { to: 'parent' } };
  if (!/^\d+$/.test(step)) throw new NotKept(`"${step}" is no number of a frame`);
  return { type: 'frame', data: { to: 'child', frame: Number(step) } };
}

/** A number as one, a `{{VAR}}` as it is. */
function asNumber(written: string): number | string {
  return /^\d+$/.test(written) ? Number(written) : written;
}
