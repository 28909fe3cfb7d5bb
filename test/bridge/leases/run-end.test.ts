import { expect, it } from 'vitest';
import { everyObserver, type RunEnd } from '../../../src/bridge/leases/run-end.ts';
import { jsonLog } from '../../../src/lib/log.ts';

it('an observer of runs that throws is told, and disturbs neither the others nor the run', () => {
  const lines: string[] = [];
  const heard: string[] = [];
  const observe = everyObserver(
    [
      () => {
        throw new Error('the counter is broken');
      },
      ({ runId }) => heard.push(runId),
    ],
    jsonLog((line) => lines.push(line)),
  );
  observe({ runId: 'a run' } as RunEnd);
  expect(heard).toEqual(['a run']);
  expect(JSON.parse(lines.join(''))).toMatchObject({
    level: 'error',
    runId: 'a run',
    error: 'the counter is broken',
  });
});
