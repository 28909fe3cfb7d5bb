import { describe, expect, it } from 'vitest';
import type { BrowserChoice } from '../../src/browser/install/find-browser.ts';
import { progressPrinter } from '../../src/cli/progress.ts';
import { checkFlow } from '../../src/flow/check-flow.ts';
import type { FlowSnapshot } from '../../src/protocol/messages.ts';
import { drawnFlow } from '../support/drawn-flow.ts';

function printed(flow: FlowSnapshot, completed: string[]): string[] {
  const checked = checkFlow(flow, {});
  const said: string[] = [];
  const out = { isTTY: false, write: (text: string) => said.push(text) > 0 };
  const progress = progressPrinter(checked.ok ? checked.steps : [], out);
  progress.begin('Tea', { kind: 'shell', why: 'named', path: '/b' } as unknown as BrowserChoice);
  for (const nodeId of completed) {
    progress.onEvent({ type: 'step_start', nodeId });
    progress.onEvent({ type: 'step_complete', nodeId, status: 'passed', durationMs: 5, logs: 'done' });
  }
  return said;
}

describe('progress', () => {
  it('says of how many steps each one is', () => {
    const flow = drawnFlow({ a: ['log', { message: '' }], b: ['wait', { ms: 1 }] }, 's>a a>b');
    expect(printed(flow, ['a', 'b'])).toEqual([
      'Tea: 2 steps, shell (named: /b)\n',
      '  ok   1/2 log  done  (5 ms)\n',
      '  ok   2/2 wait  done  (5 ms)\n',
    ]);
  });

  it('counts only where branches and loops decide how many there will be', () => {
    const flow = drawnFlow(
      { l: ['loop', { kind: 'times', times: 2 }], a: ['log', { message: '' }] },
      's>l l:body>a',
    );
    expect(printed(flow, ['l', 'a', 'a'])).toEqual([
      'Tea: 2 steps (with branches), shell (named: /b)\n',
      '  ok   1 loop  done  (5 ms)\n',
      '  ok   2 log  done  (5 ms)\n',
      '  ok   3 log  done  (5 ms)\n',
    ]);
  });
});
