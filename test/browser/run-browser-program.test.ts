import { describe, expect, it } from 'vitest';
import { runBrowserProgram } from '../../src/browser/install/run-browser-program.ts';

const node = (script: string, options: { limitMs?: number; graceMs?: number; stopWhen?: RegExp } = {}) =>
  runBrowserProgram(process.execPath, ['-e', script], { env: {}, limitMs: 20_000, ...options });

describe('a program that is run', () => {
  it('gives its exit code and both outputs', async () => {
    const end = await node('console.log("out"); console.error("err"); process.exitCode = 3;');
    expect(end).toMatchObject({ how: 'exited', code: 3 });
    expect(end.output).toContain('out\n');
    expect(end.output).toContain('err\n');
  });

  it('is not started, and nothing is thrown, when it does not exist', async () => {
    const end = await runBrowserProgram('/nowhere/program', [], { env: {}, limitMs: 1000 });
    expect(end).toMatchObject({ how: 'not started', code: null });
    expect(end.output).toContain('ENOENT');
  });

  it('is killed when it takes too long and does not listen', async () => {
    const end = await node(
      'process.on("SIGTERM", () => console.log("no")); console.log("ready"); setInterval(() => {}, 1000);',
      { stopWhen: /ready/, graceMs: 100 },
    );
    expect(end.how).toBe('stopped early');
    expect(end.output).toContain('no');
  });

  it('is ended at its time limit', async () => {
    expect(await node('setInterval(() => {}, 1000);', { limitMs: 100 })).toMatchObject({ how: 'timed out' });
  });

  it('is ended when its signal says so', async () => {
    const end = await runBrowserProgram(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {
      env: {},
      limitMs: 20_000,
      signal: AbortSignal.timeout(100),
    });
    expect(end).toMatchObject({ how: 'cancelled', code: null });
  });

  it('is over when it exits, even if a child of it keeps the output open', async () => {
    const end = await runBrowserProgram('/bin/sh', ['-c', '/bin/sleep 2 & echo done'], {
      env: {},
      limitMs: 20_000,
    });
    expect(end).toMatchObject({ how: 'exited', code: 0 });
    expect(end.output).toBe('done\n');
  });
});
