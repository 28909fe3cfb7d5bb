import { type NodeType, nodeTypes } from '../../flow/node-types/node-types.ts';
import type { Step } from '../../flow/step.ts';
import type { StepOutcome } from '../execute-step.ts';
import type { PageNetwork } from './page-network.ts';

/**
 * How a step ended, seen together with what the network refused meanwhile: a step that led the page to a refused address
 * failed for that, and one that failed otherwise names what its page did not get. Other steps that passed have passed.
 */
export function networkOutcome({ type }: Step, outcome: StepOutcome, network: PageNetwork): StepOutcome {
  const led = network.refusedPage();
  const hasFailed = outcome.how === 'failed' && outcome.error.kind !== 'browser_crashed';
  const hasLed = outcome.how === 'done' && (nodeTypes[type].hasSideEffects || leading.has(type));
  if (led !== null && (hasFailed || hasLed)) {
    const notes = outcome.how === 'failed' ? outcome.notes : '';
    const message = `${led.refusal.host} was not opened: ${led.refusal.why}`;
    return { how: 'failed', error: { kind: 'blocked', message }, notes };
  }
  return hasFailed ? { ...outcome, notes: `${outcome.notes}${noteOf(network)}` } : outcome;
}

/** Types that lead to another page without doing anything on the site, besides those that act on it. */
const leading: ReadonlySet<NodeType> = new Set([
  'navigate',
  'reload',
  'back',
  'forward',
  'openPage',
  'switchPage',
]);

/** Hosts that a note names; more of them tell nobody more. */
const maxNamed = 3;

function noteOf(network: PageNetwork): string {
  const refusals = network.refusals();
  if (refusals.length === 0) return '';
  const named = refusals.slice(0, maxNamed).map(({ host, word }) => `${host} (${word})`);
  const more = refusals.length - named.length;
  return `; not reached by the page: ${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}; see --allow-host`;
}
