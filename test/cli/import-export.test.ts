import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startProgram } from '../../src/demo/child-program.ts';
import { chain } from '../support/chain.ts';
import { runnerEnv, runnerProgram } from '../support/system.ts';
import { tempFolder } from '../support/temp-folder.ts';

async function qualinet(...args: string[]) {
  const stdout: string[] = [];
  const stderr: string[] = [];
  const program = startProgram(runnerProgram, args, {
    env: runnerEnv(await tempFolder()),
    onStdout: (line) => stdout.push(line),
    onStderr: (line) => stderr.push(line),
  });
  return { code: await program.ended, out: stdout.join('\n'), err: stderr.join('\n') };
}

/** A file of this content in a fresh folder. */
async function fileOf(name: string, content: unknown): Promise<string> {
  const path = join(await tempFolder(), name);
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const recording = {
  title: 'Buy tea',
  steps: [
    { type: 'navigate', url: 'http://shop.test/' },
    { type: 'click', selectors: [['aria/Buy'], ['#buy']], offsetX: 1, offsetY: 1 },
  ],
};
const withCustomStep = { ...recording, steps: [...recording.steps, { type: 'customStep', name: 'foo' }] };

/** A project of Selenium IDE with a test of one command for each name. */
function project(...names: string[]) {
  const tests = names.map((name, index) => ({
    id: `t${index}`,
    name,
    commands: [{ id: `c${index}`, comment: '', command: 'open', target: '/', targets: [], value: '' }],
  }));
  return {
    id: 'p',
    version: '2.0',
    name: 'Shop',
    url: 'http://shop.test',
    tests,
    suites: [],
    urls: [],
    plugins: [],
  };
}

describe('qualinet import', () => {
  it('prints the flow of a recording, and what it is to stderr', async () => {
    const { code, out, err } = await qualinet('import', await fileOf('r.json', recording));
    expect([code, err]).toEqual([0, 'Buy tea: 2 steps']);
    expect(JSON.parse(out)).toMatchObject({
      name: 'Buy tea',
      nodes: [{ type: 'start' }, { type: 'navigate' }, { type: 'click' }],
    });
  });

  it('writes the flow to a file, and does not replace one unless that is said', async () => {
    const path = await fileOf('r.json', recording);
    const flow = await fileOf('flow.json', 'mine');
    const refused = await qualinet('import', path, '-o', flow);
    expect(refused.code).toBe(64);
    expect(refused.err).toMatch(/flow\.json is there already[\s\S]*--force/);
    expect(await readFile(flow, 'utf8')).toBe('mine');
    expect((await qualinet('import', path, '-o', flow, '--force')).code).toBe(0);
    expect(JSON.parse(await readFile(flow, 'utf8'))).toMatchObject({ name: 'Buy tea' });
  });

  it('writes the tests of a project into a folder, by their names as they are spelled', async () => {
    const folder = join(await tempFolder(), 'flows');
    const path = await fileOf('p.side', project('Übung: Köln/1', 'ガイド', '../..', 'x'.repeat(300)));
    const { code, err } = await qualinet('import', path, '-o', folder);
    expect([code, err.split('\n').length]).toEqual([0, 4]);
    const [plain, long, ...others] = (await readdir(folder)).sort();
    expect([plain, ...others]).toEqual(['flow.json', 'Übung-Köln-1.json', 'ガイド.json']);
    expect(long).toMatch(/^x{50,200}\.json$/);
  });

  it('writes all of the flows of a project or none', async () => {
    const folder = await tempFolder();
    await writeFile(join(folder, 'second.json'), 'mine');
    const path = await fileOf('p.side', project('first', 'second', 'third'));
    const { code, err } = await qualinet('import', path, '-o', folder);
    expect(code).toBe(64);
    expect(err).toMatch(/second\.json is there already/);
    expect(await readdir(folder)).toEqual(['second.json']);
  });

  it('asks for a folder when there are several flows, and prints them all as JSON', async () => {
    const path = await fileOf('p.side', project('first', 'second'));
    const refused = await qualinet('import', path);
    expect([refused.code, refused.out]).toEqual([64, '']);
    expect(refused.err).toMatch(/there are 2 flows in .*\n.*qualinet import .*p\.side -o FOLDER/);
    const { code, out } = await qualinet('import', '--json', path);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      format: 'selenium-ide',
      flows: [
        { name: 'first', steps: 1, unkept: [], path: null, flow: { name: 'first' } },
        { name: 'second', flow: { name: 'second' } },
      ],
    });
  });

  it('refuses a recording with a step that cannot be kept, and marks its place with --lenient', async () => {
    const path = await fileOf('r.json', withCustomStep);
    const refused = await qualinet('import', path);
    expect([refused.code, refused.out]).toEqual([64, '']);
    expect(refused.err).toMatch(/a step that cannot be kept[\s\S]*step 3: customStep "foo"[\s\S]*--lenient/);
    const { code, out, err } = await qualinet('import', '--lenient', path);
    expect(code).toBe(0);
    expect(err).toMatch(/left out: step 3: customStep "foo"/);
    expect((JSON.parse(out) as { nodes: object[] }).nodes.at(-1)).toMatchObject({ type: 'log' });
  });

  it.each<[string, unknown, RegExp]>([
    ['empty.json', '', /empty\.json is empty/],
    ['cut.json', '{"title": "x", "steps": [', /cut\.json is no valid JSON: /],
    ['flow.json', chain(), /flow\.json is a flow file already[\s\S]*qualinet run .*flow\.json/],
    ['test.py', 'from playwright.sync_api import Page', /test\.py is Python[\s\S]*--target javascript/],
    ['other.json', { a: 1 }, /other\.json is no recording that is known here[\s\S]*Chrome DevTools Recorder/],
    [
      'bad.json',
      { title: 'x', steps: [{ type: 'navigate' }, { type: 'click', selectors: [] }] },
      /steps\[0\]\.url: [\s\S]*steps\[1\]\.selectors: /,
    ],
  ])('says what is wrong with %s', async (name, content, message) => {
    const { code, out, err } = await qualinet('import', await fileOf(name, content));
    expect(err).toMatch(message);
    expect([code, out]).toEqual([64, '']);
  });
});

describe('qualinet export', () => {
  const flow = {
    ...chain({ id: 'open', type: 'navigate', data: { url: 'http://shop.test/' } }),
    name: 'Shop',
  };

  it('writes a flow, or a recording, as a test of Playwright', async () => {
    const { code, out, err } = await qualinet('export', await fileOf('f.json', flow), '--playwright');
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain("test('Shop', async ({ page }) => {");
    expect(out).toContain("await page.goto('http://shop.test/');");
    const recorded = await qualinet('export', '--playwright', await fileOf('r.json', recording));
    expect(recorded.out).toContain("test('Buy tea'");
  });

  it('says which steps are not written because nothing leads to them', async () => {
    const lonely = {
      ...flow,
      nodes: [...flow.nodes, { id: 'lost', type: 'click', data: { selector: '#a' } }],
    };
    const { code, err } = await qualinet('export', await fileOf('f.json', lonely), '--playwright');
    expect(code).toBe(0);
    expect(err).toMatch(/^warning: node "lost" \(click\) is not connected to start/);
  });

  it('leaves out what a recording cannot keep only when that is said, and tells what it was', async () => {
    const path = await fileOf('r.json', withCustomStep);
    const refused = await qualinet('export', path, '--playwright');
    expect([refused.code, refused.out]).toEqual([64, '']);
    expect(refused.err).toMatch(/customStep "foo"[\s\S]*--lenient/);
    const { code, out, err } = await qualinet('export', path, '--playwright', '--lenient');
    expect(code).toBe(0);
    expect(err).toMatch(/^warning: left out: step 3: customStep "foo"/);
    expect(out).toContain("test('Buy tea'");
  });

  it('names the file of a flow without a name that cannot run', async () => {
    const path = await fileOf('odd.json', chain({ id: 'x', type: 'fly', data: {} }));
    const { code, err } = await qualinet('export', path, '--playwright');
    expect(code).toBe(64);
    expect(err).toMatch(/"odd\.json" is no flow that can run[\s\S]*unknown type "fly"/);
  });

  it('keeps a file that is there, and asks what to export as', async () => {
    const path = await fileOf('f.json', flow);
    const there = await fileOf('shop.spec.ts', 'mine');
    expect((await qualinet('export', path, '--playwright', '-o', there)).code).toBe(64);
    expect(await readFile(there, 'utf8')).toBe('mine');
    expect((await qualinet('export', path)).err).toMatch(/qualinet export .*f\.json --playwright/);
  });
});
