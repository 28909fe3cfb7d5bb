import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { TraceWanted } from '../../../src/browser/evidence/trace.ts';
import { browserTests, type ShortStep } from '../../support/flow-in-browser.ts';
import { secretsOf } from '../../support/secret.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { zipEntries } from '../../support/zip-entries.ts';

const site = browserTests({
  '/': `<h1 id="heading">Home</h1><button id="go" onclick="heading.textContent = 'Gone'">Go</button>
    <button id="ask" onclick="heading.textContent = confirm('Sure?')">Ask</button>`,
});

const open = (): ShortStep => ['navigate', { url: site.url('/') }];
const traced = (path: string, more: Partial<TraceWanted> = {}) => {
  const problems: string[] = [];
  const trace = {
    path,
    keep: 'always' as const,
    onProblem: (problem: string) => problems.push(problem),
    ...more,
  };
  return { trace, problems };
};
const eventsIn = async (path: string) =>
  (
    zipEntries(await readFile(path))
      .get('trace.trace')
      ?.toString() ?? ''
  )
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('a trace', () => {
  it('has a group for each node, with what was done in it and how the page looked', async () => {
    const path = join(await tempFolder(), 'made/trace.zip');
    const { trace, problems } = traced(path);
    const { result } = await site.run(
      [open(), ['click', { selector: '#go' }], ['assertion', { selector: '#heading', value: 'Gone' }]],
      { trace },
    );
    expect(result.status).toBe('passed');
    expect(problems).toEqual([]);
    const events = await eventsIn(path);
    const begun = events.filter(({ type }) => type === 'before');
    const groups = begun.filter(({ method }) => method === 'tracingGroup');
    expect(groups.map(({ title }) => title)).toEqual(['1: navigate', '2: click', '3: assertion']);
    const parents = begun.filter(({ parentId }) => parentId === groups[1]?.['callId']);
    expect(parents.map(({ method }) => method)).toContain('click');
    expect(events.some(({ type }) => type === 'frame-snapshot')).toBe(true);
    expect((await stat(path)).mode & 0o077).toBe(0);
  });

  it('is kept of failures only, where that was said', async () => {
    const folder = await tempFolder();
    const keep = 'onFailure' as const;
    await site.run([open()], traced(join(folder, 'passed.zip'), { keep }));
    await site.run(
      [open(), ['click', { selector: '#none', timeoutMs: 200 }]],
      traced(join(folder, 'failed.zip'), { keep }),
    );
    expect(await readdir(folder)).toEqual(['failed.zip']);
  });

  it('does not keep a dialog from being answered', async () => {
    const path = join(await tempFolder(), 'trace.zip');
    const { result } = await site.run(
      [
        open(),
        ['click', { selector: '#ask' }],
        ['dialog', { action: 'accept' }],
        ['assertion', { selector: '#heading', value: 'true' }],
      ],
      traced(path),
    );
    expect(result.stepsResult.map(({ error }) => error)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect((await eventsIn(path)).length).toBeGreaterThan(0);
  });

  it('is not made where the machine has secrets, unless that was said', async () => {
    const path = join(await tempFolder(), 'trace.zip');
    const secrets = secretsOf({ PASSWORD: { value: 'hunter2-secret' } });
    const refused = await site.run([open()], { secrets, ...traced(path) });
    expect(refused.result).toMatchObject({ status: 'failed', stepsResult: [], error: { code: 'usage' } });
    expect(refused.result.error?.message).toMatch(/a trace would hold the secrets of this run/);
    await expect(stat(path)).rejects.toThrow();
    const allowed = await site.run([open()], { secrets, ...traced(path, { mayHoldSecrets: true }) });
    expect(allowed.result.status).toBe('passed');
    expect((await stat(path)).size).toBeGreaterThan(0);
  });

  it('that cannot be written changes nothing but that it is told', async () => {
    const folder = await tempFolder();
    await writeFile(join(folder, 'file'), '');
    const { trace, problems } = traced(join(folder, 'file/trace.zip'));
    const { result } = await site.run([open()], { trace });
    expect(result.status).toBe('passed');
    expect(problems).toEqual([expect.stringMatching(/^no trace could be written to .*trace\.zip/)]);
  });
});
