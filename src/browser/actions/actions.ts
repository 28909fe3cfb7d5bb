import type { DataOf, NodeType } from '../../flow/node-types.ts';
import { candidatesOf } from '../../flow/step.ts';
import { duration } from '../../lib/duration.ts';
import type { StepResult } from '../../protocol/run-result.ts';
import { type Found, type LocateDeps, locate } from '../locating/locate.ts';
import { actOnElement } from './act-on-element.ts';
import { openAddress } from './open-address.ts';
import { typeSecret } from './type-secret.ts';

/** What an action did: a sentence for people, and what the result of its step holds besides. */
export interface ActionDone {
  logs: string;
  healed?: NonNullable<StepResult['healed']>;
  /** The variable an extract step sets, whole; the result may cut it. */
  extracted?: { variable: string; value: string };
}

/** What each node type does. Data has its variables in place and was checked. Failures are thrown as StepFailure or as Playwright throws them. */
export const actions: { readonly [Type in NodeType]: Action<Type> } = {
  async navigate({ url }, deps) {
    return { logs: await openAddress(url, deps) };
  },

  async click(data, deps) {
    const found = await actOnElement(
      { candidates: candidatesOf(data), need: 'clickable' },
      deps,
      (locator, options) => locator.click(options),
    );
    return done(`Clicked ${found.label}`, found);
  },

  async type(data, deps) {
    const found = await actOnElement(
      { candidates: candidatesOf(data), need: 'writable' },
      deps,
      (locator, options) =>
        deps.secrets === undefined
          ? locator.fill(data.value, options)
          : typeSecret(locator, data.value, options, deps.secrets),
    );
    return done(data.value === '' ? `Emptied ${found.label}` : `Typed into ${found.label}`, found);
  },

  async wait({ ms }, { clock, halt }) {
    const waitMs = Number(ms);
    await clock.sleep(waitMs, halt);
    return { logs: `Waited ${duration(waitMs)}` };
  },

  async assertion(data, deps) {
    const expected = foldWhiteSpace(data.value);
    const found = await locate({ candidates: candidatesOf(data), need: 'present', expected }, deps);
    return done(`${found.label} has the text "${expected}"`, found);
  },

  async extract(data, deps) {
    const found = await locate({ candidates: candidatesOf(data), need: 'present', readsText: true }, deps);
    return {
      ...done(`Saved the text of ${found.label} in ${data.variable}`, found),
      extracted: { variable: data.variable, value: found.text },
    };
  },
};

type Action<Type extends NodeType> = (data: DataOf<Type>, deps: LocateDeps) => Promise<ActionDone>;

function done(sentence: string, { healed, passedOver = 'was not there' }: Found): ActionDone {
  if (healed === undefined) return { logs: sentence };
  return { logs: `${sentence}, because ${healed.insteadOf} ${passedOver}`, healed };
}

// The page folds the text of the element in the same way (look-in-page.ts).
function foldWhiteSpace(text: string): string {
  return text.replaceAll('\u200b', '').trim().replace(/\s+/g, ' ');
}
