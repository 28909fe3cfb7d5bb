import { type ChainNode, chain } from '../../support/chain.ts';

/** A flow on the shop, and how it ends when it comes to its end. */
export interface ChaosFlow {
  readonly status: 'passed' | 'failed';
  readonly nodes: readonly ChainNode[];
}

const open: ChainNode = { id: 'open', type: 'navigate', data: { url: '{{SHOP}}/?run={{RUN}}' } };
const add = (id: string): ChainNode => ({ id, type: 'click', data: { selector: '#add' } });
const wait = (id: string, ms: number): ChainNode => ({ id, type: 'wait', data: { ms } });
const see = (id: string, selector: string, value: string): ChainNode => ({
  id,
  type: 'assertion',
  data: { selector, value },
});

/** The flows of the schedules by name. */
export const chaosFlows = {
  /** Nothing but looking: it may be run again at any time. */
  look: { status: 'passed', nodes: [open, wait('pause', 300), see('title', 'h1', 'Shop')] },
  /** As short as a run can be. */
  tiny: { status: 'passed', nodes: [open, see('title', 'h1', 'Shop')] },
  /** One click, for the points of a short life. */
  quick: { status: 'passed', nodes: [open, add('add'), see('one', '#basket', '1')] },
  /** Types (a password, too), fills the basket and buys. */
  buy: {
    status: 'passed',
    nodes: [
      open,
      { id: 'name', type: 'type', data: { selector: '#name', value: 'Ada' } },
      { id: 'secret', type: 'type', data: { selector: '#password', value: '{{PASSWORD}}' } },
      add('add'),
      wait('pause', 200),
      { id: 'buy', type: 'click', data: { selector: '#buy' } },
      see('thanks', '#done', 'Thank you'),
    ],
  },
  /** A step that fails, with its picture. */
  wrong: {
    status: 'failed',
    nodes: [
      open,
      add('add'),
      { id: 'wrong', type: 'assertion', data: { selector: 'h1', value: 'Bakery', timeoutMs: 200 } },
      add('never'),
    ],
  },
  /** Long enough for a lease to end in the middle. */
  long: {
    status: 'passed',
    nodes: [
      open,
      ...Array.from({ length: 6 }, (_, index) => [add(`add-${index}`), wait(`pause-${index}`, 500)]).flat(),
      see('six', '#basket', '6'),
    ],
  },
} as const satisfies Record<string, ChaosFlow>;

export type ChaosFlowName = keyof typeof chaosFlows;

/** Steps that an attempt which comes to its end has executed: up to the one that fails. */
export function stepsOf(name: ChaosFlowName): string[] {
  const { nodes, status }: ChaosFlow = chaosFlows[name];
  const last = status === 'failed' ? nodes.findIndex(({ id }) => id === 'wrong') + 1 : nodes.length;
  return nodes.slice(0, last).map(({ id }) => id);
}

/** The flow as it is submitted. */
export function chaosFlow(name: ChaosFlowName): ReturnType<typeof chain> {
  return chain(...chaosFlows[name].nodes);
}
