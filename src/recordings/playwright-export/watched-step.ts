import { isEmpty } from '../../flow/node-types/node-types.ts';
import type { Step } from '../../flow/step.ts';
import { Unwritable } from './code.ts';

/** A step whose fields are seen to be read: what nobody reads stands in no line of the test. */
export interface WatchedStep {
  readonly step: Step;
  /** Throws Unwritable for fields that nobody has read, and that change what the step does. */
  ensureAllRead(): void;
}

/** Longer or shorter patience makes no other test; Playwright has a time for few of its calls, and tries none again. */
const ofPatience: readonly string[] = ['timeoutMs', 'retryDelayMs'];

/** Watches what is read of a step, so that a field which a node type gets later is refused until there are words for it. */
export function watchedStep(step: Step): WatchedStep {
  const read = new Set<PropertyKey>(ofPatience);
  const fields = new Proxy(step.fields, {
    get(from, name) {
      read.add(name);
      return Reflect.get(from, name) as unknown;
    },
  });
  return {
    step: { ...step, fields },
    ensureAllRead() {
      const unread = Object.keys(step.fields).filter(
        (name) => !read.has(name) && !isEmpty(step.fields[name]),
      );
      if (unread.length > 0) throw new Unwritable(`there are no words for ${unread.join(', ')}`);
    },
  };
}
