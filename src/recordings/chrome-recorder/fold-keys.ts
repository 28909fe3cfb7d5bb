import type { RecorderStep } from './recorder-schema.ts';

type KeyStep = Extract<RecorderStep, { type: 'keyDown' | 'keyUp' }>;

/** A key or chord that is pressed and let go of, made of the recorded steps it stands for. */
export interface PressedKeys {
  readonly type: 'press';
  readonly key: string;
  readonly at: number;
  readonly parts: readonly KeyStep[];
}

/** Folds a key that goes down and up again into one press, with the modifiers around it; keys that overlap otherwise stay as they are. */
export function foldKeys(steps: readonly RecorderStep[]): (RecorderStep | PressedKeys)[] {
  const folded: (RecorderStep | PressedKeys)[] = [];
  for (let index = 0; index < steps.length; ) {
    const parts = pressAt(steps, index);
    const [first] = parts;
    const step = steps[index];
    if (first === undefined) {
      if (step !== undefined) folded.push(step);
      index += 1;
      continue;
    }
    const downs = parts.filter(({ type }) => type === 'keyDown');
    folded.push({ type: 'press', key: downs.map(({ key }) => keyName(key)).join('+'), at: first.at, parts });
    index += parts.length;
  }
  return folded;
}

/** A key as Playwright names it. */
export function keyName(key: string): string {
  return spellings[key] ?? key;
}

const spellings: Readonly<Record<string, string>> = {
  ' ': 'Space',
  '\n': 'Enter',
  '\r': 'Enter',
  '\t': 'Tab',
  Spacebar: 'Space',
  Esc: 'Escape',
  Del: 'Delete',
  Left: 'ArrowLeft',
  Right: 'ArrowRight',
  Up: 'ArrowUp',
  Down: 'ArrowDown',
};

const modifiers: ReadonlySet<string> = new Set(['Alt', 'Control', 'Meta', 'Shift']);

/** The steps of a press that begins here: modifiers down, a key down and up, the same modifiers up in any order. Empty for none. */
function pressAt(steps: readonly RecorderStep[], from: number): KeyStep[] {
  const first = steps[from];
  if (first?.type !== 'keyDown') return [];
  const run: KeyStep[] = [];
  for (const step of steps.slice(from)) {
    if ((step.type !== 'keyDown' && step.type !== 'keyUp') || !isSamePlace(step, first)) break;
    run.push(step);
  }
  const held = run.findIndex(({ type, key }) => type !== 'keyDown' || !modifiers.has(key));
  // A modifier that is pressed alone is a key like any other.
  if (run[1]?.type === 'keyUp' && run[1].key === first.key) return run.slice(0, 2);
  const [down, up] = run.slice(held, held + 2);
  if (held === -1 || down?.type !== 'keyDown' || up?.type !== 'keyUp' || up.key !== down.key) return [];
  const raised = run.slice(held + 2, held + 2 + held);
  const isRaised = run
    .slice(0, held)
    .every(({ key }) => raised.some((step) => step.type === 'keyUp' && step.key === key));
  return isRaised && raised.length === held ? run.slice(0, held + 2 + held) : [];
}

function isSamePlace(one: KeyStep, other: KeyStep): boolean {
  return one.target === other.target && JSON.stringify(one.frame) === JSON.stringify(other.frame);
}
