import type { DataOf } from '../../flow/node-types/node-types.ts';
import { noRoomFor } from '../../flow/run-variables.ts';
import { counted } from '../../lib/counted.ts';
import { StepFailure } from '../step/step-error.ts';
import { ask } from './ask.ts';
import { type Action, type ActionDone, done, type Scene } from './scene.ts';

/** Rounds of a loop that says nothing about them. */
const defaultMaxIterations = 1_000;

/** Deciding where the flow goes on. That it does so is for the walk through it (flow/walk.ts). */
export const branchingActions: { readonly [Type in 'if' | 'loop' | 'subflow']: Action<Type> } = {
  async if(data, scene) {
    const { holds, got, found } = await ask(data, scene, { waitMs: data.waitMs ?? 0 });
    const sentence = `Went on along ${holds}${because(got)}`;
    return { ...(found === undefined ? { logs: sentence } : done(sentence, found)), branch: String(holds) };
  },

  async loop(data, scene) {
    switch (data.kind) {
      case 'times':
        return knownRounds(
          Array.from({ length: data.times ?? 0 }, (_, index) => index),
          data,
        );
      case 'forEach':
        return knownRounds(itemsOf(data.items ?? []), data);
      case 'doWhile':
        if (scene.roundsDone === 0) return { logs: 'Began round 1', branch: 'body' };
        return again(data, scene);
      case 'while':
        return again(data, scene);
    }
  },

  async subflow({ subflow, variables }, scene) {
    for (const [name, value] of Object.entries(variables ?? {})) {
      if (!scene.variables.hasRoomFor(name, value)) throw new StepFailure('invalid_data', noRoomFor(name));
      scene.variables.set(name, value);
    }
    return { logs: `Ran the subflow "${subflow}"`, branch: 'body' };
  },
};

function knownRounds(values: readonly unknown[], { maxIterations }: DataOf<'loop'>): ActionDone {
  const most = maxIterations ?? defaultMaxIterations;
  if (values.length > most) {
    throw new StepFailure(
      'invalid_data',
      `maxIterations: the loop has ${values.length} rounds; ${most} are allowed`,
    );
  }
  if (values.length === 0) return { logs: 'Repeated nothing', branch: 'done' };
  const times = values.length === 1 ? 'once' : `${values.length} times`;
  return { logs: `Repeats its body ${times}`, branch: 'body', values };
}

async function again(data: DataOf<'loop'>, scene: Scene): Promise<ActionDone> {
  const { roundsDone } = scene;
  const { holds, got } = await ask(data, scene, { waitMs: 0 });
  if (!holds) {
    const rounds = counted(roundsDone, 'round');
    return { logs: `Ended after ${rounds}${because(got)}`, branch: 'done' };
  }
  const most = data.maxIterations ?? defaultMaxIterations;
  if (roundsDone >= most) {
    throw new StepFailure(
      'timeout',
      `the loop did not end within ${most} rounds (maxIterations)${because(got)}`,
    );
  }
  return { logs: `Began round ${roundsDone + 1}${because(got)}`, branch: 'body' };
}

function because(got: string | null): string {
  return got === null ? '' : `, there was "${got}"`;
}

function itemsOf(items: readonly string[] | string): readonly unknown[] {
  if (typeof items !== 'string') return items;
  try {
    const list: unknown = JSON.parse(items);
    if (Array.isArray(list)) return list;
  } catch {
    // Told below, as what is JSON but no list.
  }
  throw new StepFailure('invalid_data', 'items: is neither a list nor one in JSON');
}
