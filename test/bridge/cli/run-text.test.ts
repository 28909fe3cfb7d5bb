import { describe, expect, it } from 'vitest';
import { runText } from '../../../src/bridge/cli/commands/runs.ts';

describe('a run for people', () => {
  const step = {
    nodeId: 'open',
    type: 'navigate',
    status: 'failed',
    durationMs: 5,
    error: 'not opened',
  } as const;
  const run = { status: 'failed', durationMs: 5, error: null, attempt: 1, lastEndReason: null };
  const textOf = (errorKind: string): string =>
    runText({ ...run, stepsResult: [{ ...step, errorKind }] } as unknown as Parameters<typeof runText>[0]);

  it('says who can change a rule that stopped a step', () => {
    expect(textOf('blocked')).toContain('only its owner can change it, there, where qualinet start is typed');
  });

  it('says nothing of rules where none stopped a step', () => {
    expect(textOf('not_found')).not.toContain('rule');
  });
});
