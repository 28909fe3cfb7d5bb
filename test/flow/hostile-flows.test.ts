import { describe, expect, it } from 'vitest';
import { checkFlow } from '../../src/flow/check-flow.ts';
import { substitute } from '../../src/flow/variables.ts';

/** A flow of one step. */
function flowOf(type: string, data: Record<string, unknown>) {
  return {
    nodes: [
      { id: 's', type: 'start', data: {} },
      { id: 'a', type, data },
    ],
    edges: [{ source: 's', target: 'a' }],
  };
}

describe('a flow that is made to hurt', () => {
  it('cannot ask for a text that no memory holds', () => {
    const flow = flowOf('log', { message: '{{A}}'.repeat(80_000) });
    const checked = checkFlow(flow, { A: 'x'.repeat(500_000) });
    expect(checked.ok ? [] : checked.problems.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^node "a" \(log\): message: Too big/),
    ]);
  });

  it('gets no more of a text than shows that it is too long', () => {
    expect(substitute('{{A}}'.repeat(100), { A: 'x'.repeat(100_000) })).toHaveLength(1_000_001);
    expect(substitute('{{A}}{{B}}{{ A }}.', { A: 'x' })).toBe('x{{B}}x.');
  });

  it('is not compared letter by letter with every type there is', () => {
    const startedAt = performance.now();
    expect(checkFlow(flowOf('clik'.repeat(250_000), { ms: 1 }), {}).ok).toBe(false);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });
});
