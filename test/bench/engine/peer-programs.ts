import { spawn } from 'node:child_process';
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ListFlow, playwrightLines } from './list-flow.ts';

/** A program that runs the ten steps and ends: what a person would type. */
export interface PeerProgram {
  name: string;
  args: readonly string[];
}

/** The programs that are measured, the peer first. `packages` is the folder of the peers' node_modules. */
export async function peerPrograms(
  files: ListFlow,
  { url, browser, packages, runner }: { url: string; browser: string; packages: string; runner: string },
): Promise<PeerProgram[]> {
  // Scripts find their packages where they stand.
  await symlink(packages, join(files.folder, 'node_modules'));
  const raw = join(files.folder, 'raw.mjs');
  await writeFile(raw, rawScript(url, browser));
  const replay = join(files.folder, 'replay.mjs');
  await writeFile(replay, replayScript(files.recording, browser));
  const bin = (name: string): string => join(packages, '.bin', name);
  return [
    { name: 'a script of Playwright, fresh launch', args: [raw] },
    { name: 'qualinet run', args: [runner, 'run', files.flow, '--browser', browser, '--allow-root'] },
    {
      name: '@playwright/test',
      args: [bin('playwright'), 'test', '--config', join(files.folder, 'playwright.config.mjs')],
    },
    { name: '@puppeteer/replay', args: [replay] },
    {
      name: 'selenium-side-runner',
      args: [bin('selenium-side-runner'), '--jest-options="--forceExit"', files.side],
    },
  ];
}

/** Runs a program to its end; milliseconds. Throws with what it said when it fails. */
export async function timeProgram(
  { name, args }: PeerProgram,
  cwd: string,
  onStart: (pid: number) => void = () => {},
): Promise<number> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stdout.on('data', (chunk) => (said += String(chunk)));
  child.stderr.on('data', (chunk) => (said += String(chunk)));
  onStart(child.pid ?? 0);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`${name} ended with ${code}: ${said.slice(-2_000)}`);
  return performance.now() - startedAt;
}

function rawScript(url: string, browser: string): string {
  return `import { chromium, expect } from '@playwright/test';
const browser = await chromium.launch({ executablePath: ${JSON.stringify(browser)}, chromiumSandbox: false });
const page = await (await browser.newContext()).newPage();
${playwrightLines(url).join('\n')}
await browser.close();
`;
}

function replayScript(recording: string, browser: string): string {
  return `import { readFileSync } from 'node:fs';
import puppeteer from 'puppeteer-core';
import { createRunner, parse, PuppeteerRunnerExtension } from '@puppeteer/replay';
const browser = await puppeteer.launch({ executablePath: ${JSON.stringify(browser)}, headless: 'shell', args: ['--no-sandbox'] });
const page = await browser.newPage();
const flow = parse(JSON.parse(readFileSync(${JSON.stringify(recording)}, 'utf8')));
const runner = await createRunner(flow, new PuppeteerRunnerExtension(browser, page));
await runner.run();
await browser.close();
`;
}
