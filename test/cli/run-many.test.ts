import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startProgram } from '../../src/demo/child-program.ts';
import { type ChainNode, chain } from '../support/chain.ts';
import { processExists } from '../support/processes.ts';
import { descendants, runnerEnv, runnerProgram } from '../support/system.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

let server: Server;
let site = '';
let visits = 0;
beforeAll(async () => {
  // Every second visit of /flaky finds the word.
  server = createServer((request, response) => {
    if (request.url === '/flaky') visits += 1;
    response.setHeader('content-type', 'text/html');
    response.end(
      `<title>Shop</title><h1>${request.url === '/flaky' && visits % 2 === 1 ? 'bad' : 'good'}</h1>`,
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  site = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const open = (path = '/'): ChainNode => ({ id: 'open', type: 'navigate', data: { url: site + path } });
const good: ChainNode = {
  id: 'good',
  type: 'assertion',
  data: { selector: 'h1', value: 'good', timeoutMs: 300 },
};
const missing: ChainNode = { id: 'missing', type: 'click', data: { selector: '#none', timeoutMs: 200 } };

async function folderWith(files: Record<string, unknown>): Promise<string> {
  const folder = await tempFolder();
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return folder;
}

async function startRun(args: readonly string[]) {
  const home = await tempFolder();
  const stdout: string[] = [];
  const stderr: string[] = [];
  const program = startProgram(
    runnerProgram,
    ['run', '--screenshots', join(home, 'pictures'), '--traces', join(home, 'traces'), ...args],
    { env: runnerEnv(home), onStdout: (line) => stdout.push(line), onStderr: (line) => stderr.push(line) },
  );
  const ended = program.ended.then((code) => ({ code, out: stdout.join('\n'), err: stderr.join('\n') }));
  return { program, ended, stderr };
}

async function run(...args: string[]) {
  return (await startRun(args)).ended;
}

describe('qualinet run with many flows', () => {
  it('runs all of a folder, recordings too, with a line for each and a table at the end', async () => {
    const folder = await folderWith({
      'a.json': { ...chain(open(), good), name: 'Passes' },
      'b.json': { ...chain(open(), missing), name: 'Fails' },
      'deep/c.json': { title: 'Recorded', steps: [{ type: 'navigate', url: `${site}/` }] },
      'package.json': { name: 'x' },
    });
    const { code, out, err } = await run(folder, '--workers', '2');
    expect(code).toBe(1);
    expect(err).toMatch(/warning: .*package\.json is passed over/);
    expect(err).toMatch(/FAIL {2}\d\/3 Fails {2}\(2 steps, /);
    expect(err).toMatch(/missing \(click\): [\s\S]*screenshot: .*\.png/);
    expect(out).toMatch(/^flow +verdict +steps +time +tries\n/);
    expect(out).toMatch(/\n3 runs: 2 passed, 1 failed in /);
  });

  it('never passes over a broken file of a folder', async () => {
    const folder = await folderWith({
      'a.json': chain(open()),
      'cut.json': '{"nodes": [',
      'merge.json': '<<<<<<< HEAD\n{}',
      'tsconfig.json': '{ // settings\n}',
      'empty.json': '',
      'p.side': '{}',
    });
    const { code, out, err } = await run(folder);
    expect([code, out]).toEqual([64, '']);
    expect(err).toMatch(/4 files cannot be run/);
    expect(err).toMatch(
      /tsconfig\.json is passed over[\s\S]*cut\.json is no valid JSON[\s\S]*empty\.json is no valid JSON[\s\S]*merge\.json is no valid JSON[\s\S]*p\.side is no Selenium IDE project/,
    );
  });

  it('runs every path behind an option of two words', async () => {
    const folder = await folderWith({ 'a.json': chain(open()), 'b.json': chain(open()) });
    const { code, out } = await run(
      '--trace-secrets',
      join(folder, 'a.json'),
      join(folder, 'b.json'),
      '--json',
    );
    expect(code).toBe(0);
    expect((JSON.parse(out) as { runs: unknown[] }).runs).toHaveLength(2);
  });

  it('tells programs of every run, in the order of the flows', async () => {
    const folder = await folderWith({
      'a.json': { ...chain(open(), missing), name: 'A' },
      'b.json': chain(open()),
    });
    const { code, out } = await run(folder, '--json', '--repeat', '2', '--trace', 'on-failure');
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      status: 'failed',
      runs: [
        {
          name: 'A',
          repetition: 1,
          verdict: 'failed',
          attempts: 1,
          tracePath: expect.stringMatching(/\.zip$/),
        },
        { name: 'A', repetition: 2, verdict: 'failed' },
        { name: 'b.json', repetition: 1, verdict: 'passed', status: 'passed' },
        { name: 'b.json', repetition: 2, verdict: 'passed' },
      ],
    });
  });

  it('runs a flow that failed again, and reports both tries', async () => {
    const folder = await folderWith({ 'f.json': { ...chain(open('/flaky'), good), name: 'Flaky & <b>' } });
    const reports = await tempFolder();
    const xml = join(reports, 'new/r.xml');
    const html = join(reports, 'r.html');
    const { code, out } = await run(folder, '--retries', '1', '--report', `junit=${xml},html=${html}`);
    expect(code).toBe(0);
    expect(out).toMatch(/1 run: 1 flaky in /);
    expect(await readFile(xml, 'utf8')).toMatch(
      /<testcase name="Flaky &amp; &lt;b&gt;"[\s\S]*<flakyFailure message="good \(assertion\): /,
    );
    const page = await readFile(html, 'utf8');
    expect(page).toContain('Try 1: failed');
    expect(page).toContain('src="data:image/png;base64,');
  });

  it('tells the results also when a report cannot be written', async () => {
    const folder = await folderWith({ 'a.json': chain(open()), 'b.json': chain(open()) });
    const { code, out, err } = await run(folder, '--report', `junit=${folder}`);
    expect(code).toBe(78);
    expect(out).toMatch(/2 runs: 2 passed/);
    expect(err).toMatch(/cannot write the report .*\n.*--report junit=FILE/);
  });

  it('names the problems of all files at once, before a browser starts', async () => {
    const folder = await folderWith({
      'a.json': chain({ id: 'x', type: 'fly', data: {} }),
      'b.json': chain({ id: 'y', type: 'navigate', data: { url: '{{NOWHERE}}' } }),
    });
    const { code, err } = await run(folder, '--browser', '/no/such/browser');
    expect(code).toBe(64);
    expect(err).toMatch(
      /2 files cannot be run[\s\S]*unknown type "fly"[\s\S]*NOWHERE is not set[\s\S]*--var/,
    );
  });

  it('ends in order on Ctrl-C: what was running is cancelled, the rest skipped, nothing left behind', async () => {
    const slow = chain(open(), { id: 'w', type: 'wait', data: { ms: 60_000 } });
    const folder = await folderWith({ 'a.json': chain(open()), 'b.json': slow, 'c.json': chain(open()) });
    const { program, ended, stderr } = await startRun([folder, '--workers', '1', '--json']);
    await until('the first flow is over', () => stderr.some((line) => line.includes('1/3')));
    const children = await descendants(program.process.pid ?? 0);
    program.process.kill('SIGINT');
    const { code, out } = await ended;
    expect(code).toBe(130);
    expect(JSON.parse(out)).toMatchObject({
      status: 'cancelled',
      runs: [{ verdict: 'passed' }, { verdict: 'cancelled' }, { verdict: 'skipped', attempts: 0 }],
    });
    await until('its browser is gone', () => children.every((pid) => !processExists(pid)));
  });

  it('takes one step at a time only of one flow, and only at a terminal', async () => {
    const folder = await folderWith({ 'a.json': chain(open()), 'b.json': chain(open()) });
    expect(await run(folder, '--step')).toMatchObject({
      code: 64,
      err: expect.stringContaining('--step goes with one flow'),
    });
    expect(await run(join(folder, 'a.json'), '--step')).toMatchObject({
      code: 64,
      err: expect.stringContaining('--step needs a terminal'),
    });
  });
});
