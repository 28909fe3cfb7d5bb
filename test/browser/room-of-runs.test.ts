import { describe, expect, it } from 'vitest';
import { createResultRoom } from '../../src/browser/step/result-room.ts';
import { createRunVariables } from '../../src/flow/run-variables.ts';
import { browserTests, type ShortStep } from '../support/flow-in-browser.ts';

const site = browserTests({ '/': '<p>x</p>' });

describe('the room of a run', () => {
  it('holds results whole as long as it lasts, then how their steps ended', () => {
    const room = createResultRoom(100_000);
    const text = 'x'.repeat(8_000);
    const result = {
      nodeId: 'a',
      type: 'click',
      status: 'passed',
      durationMs: 1,
      logs: text,
      healed: { selector: text, insteadOf: text, proposed: Array.from({ length: 50 }, () => text) },
    } as const;
    const small = { ...result, healed: { ...result.healed, proposed: [] } };
    expect(room.fit(small)).toEqual(small);
    const { healed, logs, ...ended } = room.fit({ ...result });
    expect(healed).toBeUndefined();
    expect(logs).toHaveLength(200);
    expect(ended).toEqual({ nodeId: 'a', type: 'click', status: 'passed', durationMs: 1 });
    expect(room.fit(small)).toEqual(small);
  });

  it('counts a variable once, however often it is set', () => {
    const variables = createRunVariables({ A: 'x'.repeat(1_000_000) });
    for (let count = 0; count < 100; count += 1) variables.set('A', 'y'.repeat(15_000_000));
    expect(variables.hasRoomFor('A', 'y'.repeat(16_000_000))).toBe(true);
    expect(variables.hasRoomFor('B', 'y'.repeat(1_000_000))).toBe(true);
    expect(variables.hasRoomFor('B', 'y'.repeat(1_000_001))).toBe(false);
  });

  it('ends where variables come to more than any run should hold', async () => {
    const steps = Array.from(
      { length: 18 },
      (_, index): ShortStep => ['evaluate', { script: 'return "x".repeat(900000)', variable: `v${index}` }],
    );
    const { result } = await site.run([['navigate', { url: site.url('/') }], ...steps]);
    expect(result.stepsResult.at(-1)).toMatchObject({
      nodeId: '19',
      status: 'failed',
      errorKind: 'invalid_data',
      error: 'v17 was not set: the variables of a run may have 16 million characters together',
    });
  });
});
