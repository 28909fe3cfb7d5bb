import type { Block, Step } from './step.ts';

/** What a step that branches decided. */
interface Decision {
  /** The branch to go along. */
  branch?: string | undefined;
  /** Of a loop that asks nothing in between: what `as` holds in each round, which says how many there are. */
  values?: readonly unknown[] | undefined;
}

/** A way through a flow, from one step to the next. */
export interface Walk {
  /** The step to run now; null when the flow is at its end. */
  readonly step: Step | null;
  /** The steps behind it as far as they are known: the rest of its block and of those around, up to the end of a loop's body. */
  ahead(): readonly Step[];
  /** The rounds of the loops around the step, from the outside in, each counted from 1. */
  rounds(): number[];
  /** Of a loop that is come to: how many of its rounds are over. */
  roundsDone(): number;
  /** Goes on from the step. What a loop that begins a round sets is given to `set`. */
  goOn(decision: Decision, set: (variable: Step, value: unknown) => void): void;
}

/** Begins a walk. It holds where it is as a stack of blocks, so that no nesting of a flow is too deep for it. */
export function walkThrough(flow: Block): Walk {
  const frames: Frame[] = [{ block: flow, index: 0, loop: null }];
  let asked: Loop | null = null;
  let step: Step | null = null;
  const find = (set: (loop: Step, value: unknown) => void): void => {
    asked = null;
    for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
      step = frame.block[frame.index] ?? null;
      if (step !== null) return;
      const { loop } = frame;
      if (loop !== null && loop.values !== null && loop.round < loop.values.length) {
        beginRound(frame, loop, set);
        continue;
      }
      frames.pop();
      const around = frames.at(-1);
      if (loop !== null && loop.values === null) {
        asked = loop;
        step = loop.step;
        return;
      }
      if (around !== undefined) around.index += 1;
    }
    step = null;
  };
  find(() => {});

  return {
    get step() {
      return step;
    },
    ahead() {
      const steps: Step[] = [];
      for (const { block, index, loop } of frames.toReversed()) {
        steps.push(...block.slice(index + 1));
        if (loop !== null) break;
      }
      return steps;
    },
    rounds: () => frames.flatMap(({ loop }) => (loop === null ? [] : [loop.round])),
    roundsDone: () => asked?.round ?? 0,
    goOn({ branch, values }, set) {
      const frame = frames.at(-1);
      if (step === null || frame === undefined) return;
      const block = branch === undefined ? undefined : step.blocks?.[branch];
      if (step.type === 'loop' && branch === 'body') {
        const loop: Loop = { step, round: asked?.round ?? 0, values: values ?? null };
        const body: Frame = { block: [], index: 0, loop };
        frames.push(body);
        // A loop that knows its rounds begins the first of them where it finds itself at the end of the one before.
        if (loop.values === null) beginRound(body, loop, set);
      } else if (block !== undefined && step.type !== 'loop') {
        frames.push({ block, index: 0, loop: null });
      } else {
        frame.index += 1;
      }
      find(set);
    },
  };
}

interface Frame {
  block: Block;
  index: number;
  /** The loop whose body the block is. */
  loop: Loop | null;
}

interface Loop {
  step: Step;
  /** Counted from 1; 0 before the first. */
  round: number;
  values: readonly unknown[] | null;
}

function beginRound(frame: Frame, loop: Loop, set: (loop: Step, value: unknown) => void): void {
  set(loop.step, loop.values === null ? loop.round : loop.values[loop.round]);
  loop.round += 1;
  frame.block = loop.step.blocks?.['body'] ?? [];
  frame.index = 0;
}
