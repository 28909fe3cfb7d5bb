import { counted } from '../lib/counted.ts';
import { type Block, stepsIn } from './step.ts';

/** How many steps a flow has, wherever they stand. */
export interface FlowLength {
  steps: number;
  /** True when a run that passes executes each of them once. Otherwise nobody knows beforehand how many it will execute. */
  isStraight: boolean;
}

/** The length of a checked flow. */
export function flowLength(flow: Block): FlowLength {
  const steps = stepsIn(flow);
  return { steps: steps.length, isStraight: steps.every(({ blocks }) => blocks === undefined) };
}

/** `3 steps`, or `3 steps (with branches)` where the number says little about how long it will take. */
export function lengthText({ steps, isStraight }: FlowLength): string {
  return `${counted(steps, 'step')}${isStraight ? '' : ' (with branches)'}`;
}

/** Where a run is after so many executed steps: `2/3`, and `2` where nobody knows how many there will be. */
export function countText(executed: number, { steps, isStraight }: FlowLength): string {
  return isStraight ? `${executed}/${steps}` : String(executed);
}
