import { flag, timing } from './node-types/fields.ts';
import type { Step } from './step.ts';
import { substitute, type Variables } from './variables.ts';

/** What happens when a step fails. */
export interface StepPatience {
  /** How often it is tried again. */
  retries: number;
  retryDelayMs: number;
  /** True for one that lets the run go on, which then fails at its end. */
  isSoft: boolean;
}

/** Reads it from the fields of a step. What is wrong in them is told by the step itself, when it reads its data. */
export function patienceOf({ fields }: Step, variables: Variables): StepPatience {
  const { retries, retryDelayMs, soft } = fields;
  if (retries === undefined && soft === undefined) return none;
  const given = substitute({ retries, retryDelayMs, soft }, variables);
  return {
    retries: timing.retries.safeParse(given.retries).data ?? 0,
    retryDelayMs: timing.retryDelayMs.safeParse(given.retryDelayMs).data ?? 0,
    isSoft: flag.safeParse(given.soft).data ?? false,
  };
}

const none: StepPatience = { retries: 0, retryDelayMs: 0, isSoft: false };
