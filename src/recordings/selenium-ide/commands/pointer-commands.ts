import type { ImportContext } from '../import-context.ts';
import { selectorsOf } from '../locators.ts';
import { NotKept } from '../not-kept.ts';
import type { CommandRule, CommandRules } from './command-rule.ts';

/** The mouse. */
export const pointerCommands: CommandRules = {
  click: onElement('click'),
  clickAt: atPoint('click'),
  doubleClick: onElement('click', { count: 2 }),
  doubleClickAt: atPoint('click', { count: 2 }),
  mouseOver: onElement('hover'),
  mouseOut: onElement('mouse', { action: 'out' }),
  mouseDown: onElement('mouse', { action: 'down' }),
  mouseDownAt: atPoint('mouse', { action: 'down' }),
  mouseMoveAt: atPoint('mouse', { action: 'move' }),
  mouseUp: onElement('mouse', { action: 'up' }),
  mouseUpAt: atPoint('mouse', { action: 'up' }),
  dragAndDropToObject(command, context) {
    const goal = selectorsOf({ target: command.value, otherTargets: [] }, context);
    return [{ type: 'drag', data: { ...selectorsOf(command, context), toSelector: goal.selector } }];
  },
  dragAndDrop(command, context) {
    const by = pointIn(command.value.replaceAll('+', ''), context);
    if (by === null) throw new NotKept(`"${command.value}" is no way such as +70,-300`);
    return [{ type: 'drag', data: { ...selectorsOf(command, context), by } }];
  },
};

function onElement(type: string, data: Readonly<Record<string, unknown>> = {}): CommandRule {
  return (command, context) => [{ type, data: { ...selectorsOf(command, context), ...data } }];
}

function atPoint(type: string, data: Readonly<Record<string, unknown>> = {}): CommandRule {
  return (command, context) => {
    const position = pointIn(command.value, context);
    if (position === null && command.value.trim() !== '')
      context.note(`"${command.value}" is no point such as 10,5: the middle of the element is taken`);
    return [
      {
        type,
        data: { ...selectorsOf(command, context), ...data, ...(position === null ? {} : { position }) },
      },
    ];
  };
}

/** `10,5` in pixels; null where that is no point. */
function pointIn(written: string, context: ImportContext): { x: number; y: number } | null {
  const [, x, y] = /^(-?\d+(?:\.\d+)?)\s*,\s*(-?\d+(?:\.\d+)?)$/.exec(context.text(written)) ?? [];
  return x === undefined || y === undefined ? null : { x: Math.trunc(Number(x)), y: Math.trunc(Number(y)) };
}
