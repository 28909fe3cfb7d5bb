import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startProgram } from '../../src/demo/child-program.ts';
import { type DemoSite, startDemoSite } from '../../src/demo/demo-site.ts';
import { chain } from '../support/chain.ts';
import { processExists } from '../support/processes.ts';
import { descendants, runnerEnv, runnerProgram } from '../support/system.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

let site: DemoSite;
beforeAll(async () => {
  site = await startDemoSite();
});
afterAll(() => site.close());

const open = { id: 'open', type: 'Navigate', data: { url: '{{SITE}}/' } };

async function qualinetRun(flow: unknown, args: readonly string[] = [], env: Record<string, string> = {}) {
  const folder = await tempFolder();
  const path = join(folder, 'flow.json');
  await writeFile(path, typeof flow === 'string' ? flow : JSON.stringify(flow));
  const stdout: string[] = [];
  const stderr: string[] = [];
  const program = startProgram(
    runnerProgram,
    ['run', path, '--screenshots', join(folder, 'pictures'), ...args],
    {
      env: { ...runnerEnv(folder), ...env },
      onStdout: (line) => stdout.push(line),
      onStderr: (line) => stderr.push(line),
    },
  );
  return { program, code: await program.ended, out: stdout.join('\n'), err: stderr.join('\n') };
}

describe('qualinet run', () => {
  it('prints one JSON object for a flow that passes, variables and extracts included', async () => {
    const flow = chain(
      open,
      { id: 'name', type: 'type', data: { selector: '#name', value: '{{WHO}}' } },
      { id: 'go', type: 'click', data: { selector: '#missing', selectors: ['button[type=submit]'] } },
      { id: 'number', type: 'extract', data: { selector: '#order-number', variable: 'ORDER' } },
      {
        id: 'thanks',
        type: 'assertion',
        data: { selector: 'h1', value: 'Thank you, {{WHO}}: order {{ORDER}}' },
      },
    );
    const { code, out, err } = await qualinetRun(flow, [
      '--json',
      '--var',
      `SITE=${site.url}`,
      '--var',
      'WHO=Ada = B',
    ]);
    expect(err).not.toContain('error');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      status: 'passed',
      durationMs: expect.any(Number),
      stepsResult: [
        { nodeId: 'open', status: 'passed', durationMs: expect.any(Number), logs: expect.any(String) },
        { nodeId: 'name', status: 'passed' },
        {
          nodeId: 'go',
          status: 'passed',
          healed: { selector: 'button[type=submit]', insteadOf: '#missing' },
        },
        { nodeId: 'number', status: 'passed', extracted: { variable: 'ORDER' } },
        { nodeId: 'thanks', status: 'passed' },
      ],
    });
  });

  it('stops at the first failing step with exit code 1 and a picture', async () => {
    const flow = chain(
      open,
      { id: 'wrong', type: 'assertion', data: { selector: 'h1', value: 'Coffee shop', timeoutMs: 300 } },
      { id: 'never', type: 'click', data: { selector: 'button' } },
    );
    const { code, out, err } = await qualinetRun(flow, ['--json', '--var', `SITE=${site.url}`]);
    expect(code).toBe(1);
    const result = JSON.parse(out) as {
      status: string;
      stepsResult: { error?: string; screenshotUrl?: string }[];
    };
    expect(result).toMatchObject({
      status: 'failed',
      stepsResult: [{ nodeId: 'open' }, { nodeId: 'wrong', status: 'failed', errorKind: 'assertion' }],
    });
    expect(result.stepsResult).toHaveLength(2);
    expect(result.stepsResult[1]?.error).toMatch(/expected "Coffee shop", got "Tea shop"/);
    expect(err).toMatch(/FAIL 2\/3 assertion/);
  });

  it('keeps the picture of a failure as a PNG file where it says', async () => {
    const flow = chain(open, { id: 'x', type: 'click', data: { selector: '#nothing', timeoutMs: 200 } });
    const { out } = await qualinetRun(flow, ['--json', '--var', `SITE=${site.url}`]);
    const url = (JSON.parse(out) as { stepsResult: { screenshotUrl?: string }[] }).stepsResult[1]
      ?.screenshotUrl;
    const picture = await readFile(fileURLToPath(url ?? ''));
    expect(picture.subarray(1, 4).toString()).toBe('PNG');
  });

  it('tells a person how it goes, and the verdict on stdout', async () => {
    const { code, out, err } = await qualinetRun({
      ...chain(open),
      name: 'Shop',
      variables: { SITE: site.url },
    });
    expect(code).toBe(0);
    expect(err).toMatch(/Shop: 1 step, /);
    expect(err).toMatch(/ok {3}1\/1 navigate {2}Opened http/);
    expect(out).toMatch(/^passed: 1 of 1 executed steps passed in /);
  });

  it('lets --var stand over the variables of the file', async () => {
    const flow = { ...chain(open), variables: { SITE: 'http://127.0.0.1:1' } };
    expect((await qualinetRun(flow, ['--var', `SITE=${site.url}`])).code).toBe(0);
  });

  it.each<[string, unknown, string[], number, RegExp]>([
    ['no JSON', '{"nodes": [', [], 64, /flow\.json is no valid JSON/],
    ['another shape', '{"things": []}', [], 64, /nodes: .*[\s\S]*edges: /],
    [
      'a recording that is none',
      '{"steps": []}',
      [],
      64,
      /flow\.json is no recording[\s\S]*title: is missing/,
    ],
    ['an empty file', '', [], 64, /is no valid JSON/],
    [
      '10 MB',
      `{"nodes": [], "edges": [], "pad": "${'x'.repeat(10_000_000)}"}`,
      [],
      64,
      /has 100000\d+ bytes; a flow may have 1048576/,
    ],
    ['a missing variable', chain(open), [], 64, /the variable SITE is not set[\s\S]*--var NAME=value/],
    [
      'several problems',
      chain({ id: 'a', type: 'fly', data: {} }, { id: 'b', type: 'click', data: {} }),
      [],
      64,
      /unknown type "fly"[\s\S]*selector: is missing/,
    ],
    ['a variable without value', chain(open), ['--var', 'SITE'], 64, /--var: "SITE" is not NAME=value/],
    [
      'a browser that is not there',
      chain(open),
      ['--var', 'SITE=http://127.0.0.1:1', '--browser', '/no/such/browser'],
      78,
      /\/no\/such\/browser/,
    ],
  ])('refuses %s', async (_, flow, args, expected, message) => {
    const { code, out, err } = await qualinetRun(flow, args);
    expect(err).toMatch(message);
    expect(code).toBe(expected);
    expect(out).toBe('');
  });

  it('gives errors to programs as JSON too', async () => {
    const { code, out } = await qualinetRun(chain(open), ['--json']);
    expect(code).toBe(64);
    expect(JSON.parse(out)).toMatchObject({
      error: { code: 'usage', problems: [expect.stringContaining('SITE is not set')] },
    });
  });

  it('says so when the flow file is not there', async () => {
    const errors: string[] = [];
    const program = startProgram(runnerProgram, ['run', '/no/such/flow.json'], {
      env: runnerEnv(await tempFolder()),
      onStderr: (line) => errors.push(line),
    });
    expect(await program.ended).toBe(64);
    expect(errors.join('\n')).toMatch(/cannot read the flow file \/no\/such\/flow\.json: ENOENT/);
  });

  it('shows nothing of a page or a flow that a terminal would obey', async () => {
    const flow = chain(open, {
      id: 'x',
      type: 'assertion',
      data: { selector: 'h1', value: 'red\u001b[31m', timeoutMs: 100 },
    });
    const { code, err } = await qualinetRun({ ...flow, name: 'a\u001b[2Jb' }, ['--var', `SITE=${site.url}`]);
    expect(code).toBe(1);
    expect(err).toContain('expected "red');
    expect(err).not.toContain('\u001b');
  });

  it('keeps its exit code when nobody reads what it says', async () => {
    const folder = await tempFolder();
    const path = join(folder, 'flow.json');
    await writeFile(
      path,
      JSON.stringify(
        chain({ ...open, data: { url: site.url } }, { id: 'w', type: 'wait', data: { ms: 300 } }),
      ),
    );
    const program = startProgram(runnerProgram, ['run', path], { env: runnerEnv(folder) });
    program.process.stdout?.destroy();
    program.process.stderr?.destroy();
    expect(await program.ended).toBe(0);
  });

  it('ends in order on Ctrl-C: a cancelled result, exit code 130, no browser left', async () => {
    const folder = await tempFolder();
    const path = join(folder, 'flow.json');
    await writeFile(
      path,
      JSON.stringify(
        chain({ ...open, data: { url: `${site.url}/` } }, { id: 'w', type: 'wait', data: { ms: 60_000 } }),
      ),
    );
    const stdout: string[] = [];
    let opened = false;
    const program = startProgram(runnerProgram, ['run', path, '--json'], {
      env: runnerEnv(folder),
      onStdout: (line) => stdout.push(line),
      onStderr: (line) => {
        opened ||= line.includes('1/2 navigate');
      },
    });
    await until('the first step is done', () => opened);
    const children = await descendants(program.process.pid ?? 0);
    expect(children.length).toBeGreaterThan(0);
    program.process.kill('SIGINT');
    expect(await program.ended).toBe(130);
    expect(JSON.parse(stdout.join('\n'))).toMatchObject({
      status: 'cancelled',
      stepsResult: [
        { nodeId: 'open', status: 'passed' },
        { nodeId: 'w', status: 'failed', error: expect.stringContaining('interrupted (SIGINT)') },
      ],
    });
    await until('its browser is gone', () => children.every((pid) => !processExists(pid)));
  });
});
