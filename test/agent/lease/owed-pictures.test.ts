import { expect, it } from 'vitest';
import { addPictures } from '../../../src/agent/lease/owed-pictures.ts';
import type { RunResult } from '../../../src/protocol/run-result.ts';

const failed = (round: number, more = {}) => ({
  nodeId: 'price',
  type: 'assertion',
  status: 'failed' as const,
  soft: true,
  durationMs: 1,
  error: `round ${round}`,
  rounds: [round],
  ...more,
});

it('pictures of a node that failed in several rounds go to their rounds, also past one that cannot be uploaded', async () => {
  const away = { screenshotProblem: 'the bridge is away' };
  const result: RunResult = {
    status: 'failed',
    durationMs: 9,
    stepsResult: [
      failed(1, { screenshotUrl: 'https://pictures.test/1' }),
      failed(2, away),
      failed(3, away),
      failed(4, away),
    ],
  };
  const answers = [
    { url: 'https://pictures.test/2' },
    { problem: 'too large' },
    { url: 'https://pictures.test/4' },
  ];
  const dropped: number[] = [];
  const pictures = [2, 3, 4].map((round) => ({
    nodeId: 'price',
    read: () => Promise.reject(new Error('not in this test')),
    drop: async () => void dropped.push(round),
  }));
  const added = await addPictures(result, pictures, { leaseId: 'lease', fence: 1 }, {
    pictureTurns: async () => answers.shift(),
    log: { warn: () => {} },
  } as never);
  expect(
    added.stepsResult.map(({ screenshotUrl, screenshotProblem }) => screenshotUrl ?? screenshotProblem),
  ).toEqual([
    'https://pictures.test/1',
    'https://pictures.test/2',
    'the bridge is away',
    'https://pictures.test/4',
  ]);
  expect(added.stepsResult[1]).not.toHaveProperty('screenshotProblem');
  expect(dropped).toEqual([2, 4]);
});
