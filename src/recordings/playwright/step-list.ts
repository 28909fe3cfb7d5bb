import { entryOf, nodeTypeNamed } from '../../flow/node-types/node-types.ts';
import { collectSteps, type RecordedAt } from '../collect-steps.ts';
import type { ImportedFlow } from '../imported.ts';
import type { DraftStep } from '../lay-out-flow.ts';

/** The steps of a script while it is read: a later line may still say more about an earlier step. */
export interface StepList {
  add(at: RecordedAt, step: DraftStep): void;
  refuse(at: RecordedAt, why: string): void;
  /** Adds fields to the last step of one of these types. False when there is none. */
  amend(types: readonly string[], fields: Readonly<Record<string, unknown>>): boolean;
  declare(variable: string, value: string): void;
  finish(name: string): ImportedFlow;
}

type Entry = { at: RecordedAt } & ({ step: DraftStep } | { why: string });

/** Starts an empty list. */
export function listSteps(): StepList {
  const entries: Entry[] = [];
  const variables: Record<string, string> = {};
  return {
    add: (at, step) => void entries.push({ at, step }),
    refuse: (at, why) => void entries.push({ at, why }),
    declare(variable, value) {
      variables[variable] = value;
    },
    amend(types, fields) {
      const index = entries.findLastIndex((entry) => 'step' in entry && types.includes(entry.step.type));
      const entry = entries[index];
      if (entry === undefined || !('step' in entry)) return false;
      const { type, data } = entry.step;
      entries[index] = { at: entry.at, step: { type, data: { ...data, ...fields } } };
      return true;
    },
    finish(name) {
      const flow = collectSteps(variables);
      const hasOtherPages = entries.some((entry) => 'step' in entry && isInOtherPage(entry.step));
      for (const entry of entries) {
        if ('why' in entry) flow.refuse(entry.at, entry.why);
        else flow.keep(entry.at, hasOtherPages ? placed(entry.step) : entry.step);
      }
      return flow.finish(name);
    },
  };
}

function isInOtherPage({ data }: DraftStep): boolean {
  return data['page'] !== undefined || data['opens'] !== undefined;
}

/** Where there are several pages, each step says which one it is in. */
function placed({ type, data }: DraftStep): DraftStep {
  const known = nodeTypeNamed(type);
  const hasField = known !== null && 'page' in entryOf(known).data.shape;
  return { type, data: hasField && data['page'] === undefined ? { ...data, page: 'main' } : data };
}
