import { describe, expect, it } from 'vitest';
import { readRecording } from '../../src/recordings/read-recording.ts';

/** A project of Selenium IDE with one command. */
function project(command: string, target: string, value: string): string {
  const test = {
    id: 't',
    name: 't',
    commands: [{ id: 'c', comment: '', command, target, targets: [], value }],
  };
  return JSON.stringify({
    id: 'p',
    version: '2.0',
    name: 'p',
    url: 'http://a.test',
    tests: [test],
    suites: [],
    urls: [],
    plugins: [],
  });
}

describe('a recording that is made to hurt', () => {
  it('is read in a moment, though it begins a hundred thousand variables and ends none', () => {
    const startedAt = performance.now();
    expect(readRecording(project('type', 'id=a', '${'.repeat(200_000)), 'a.side')?.flows).toHaveLength(1);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  it('of a call behind calls without end is refused where it stands', () => {
    const calls = '.locator("a")'.repeat(200_000);
    const text = `import { test } from '@playwright/test';\ntest('a', async ({ page }) => {\nawait page${calls}.click();\n});`;
    expect(readRecording(text, 'a.spec.ts')?.flows[0]?.unkept).toEqual([
      expect.objectContaining({ where: 'line 3', why: 'it is nested too deep' }),
    ]);
  });
});
