import { expect, it } from 'vitest';
import { environmentTopic } from '../../src/cli/environment-topic.ts';

it('help environment names each variable once', () => {
  const names = environmentTopic()
    .split('\n')
    .flatMap((line) => /^ {2}(\S.*?) {2,}/.exec(line)?.[1]?.split(', ') ?? []);
  expect(names.length).toBeGreaterThan(20);
  expect(names).toEqual([...new Set(names)]);
});
