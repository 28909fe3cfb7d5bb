import { readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { qualinetBridge } from '../../../src/bridge/cli/command-table.ts';
import { runProgram } from '../../../src/command-line/run-program.ts';
import { dataFolderWithDatabase } from '../../support/bridge-fixture.ts';
import { testContext } from '../../support/test-context.ts';
import { until } from '../../support/until.ts';

let folder: string;
beforeEach(async () => {
  folder = await dataFolderWithDatabase();
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function run(argv: string[], env: Record<string, string> = {}, isTTY = false) {
  const written = { err: '' };
  const stderr = {
    write: (text: string) => {
      written.err += text;
    },
    isTTY,
  };
  const context = testContext({ env: { QUALINET_DATA_DIR: folder, PORT: '0', ...env }, stderr });
  return { ...context, err: () => written.err, ended: runProgram(qualinetBridge, argv, context.context) };
}

/** What a person at a terminal gets without asking. */
const asText = ['--log-format', 'text'];

describe('qualinet-bridge serve', () => {
  it('says where it is, where its data are and what to type next, and ends in order on a signal', async () => {
    const serving = run(['serve', ...asText]);
    await until('it says what comes next', () => serving.err().includes('Next'));
    expect(serving.out()).toBe('');
    expect(serving.err()).toMatch(/^Bridge {3}http:\/\/127\.0\.0\.1:\d+\n/);
    expect(serving.err()).toContain(
      `Data     ${folder} (embedded default: no Redis, no Postgres, no bucket)`,
    );
    expect(serving.err()).toContain(`qualinet-bridge code --data-dir ${folder}`);
    expect(serving.err()).not.toMatch(/pair \d{6}/);
    serving.signal('SIGTERM');
    expect(await serving.ended).toBe(0);
    expect(serving.listening()).toBe(0);
    expect((await readdir(folder)).sort()).toEqual(['database', 'secrets.json']);
  });

  it.each([
    ['without a terminal', ['serve'], false],
    ['at a terminal that asks for it', ['serve', '--log-format', 'json'], true],
  ])('writes nothing but JSON lines %s, from its first to its error', async (_, argv, isTTY) => {
    const serving = run(argv, {}, isTTY);
    await until('it serves', () => serving.err().includes('"the bridge serves"'));
    const refused = run(argv, {}, isTTY);
    expect(await refused.ended).toBe(78);
    serving.signal('SIGTERM');
    expect(await serving.ended).toBe(0);
    const lines = serving
      .err()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.find(({ message }) => message === 'the bridge serves')).toMatchObject({
      level: 'info',
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      place: expect.stringContaining(folder),
    });
    expect(lines.at(-1)).toMatchObject({ message: expect.stringContaining('stopping') });
    expect(JSON.parse(refused.err())).toMatchObject({
      level: 'error',
      code: 'environment',
      message: expect.stringContaining('in use by process'),
    });
  });

  it('gives a person at a terminal the pair command for the first runner', async () => {
    const serving = run(['serve'], {}, true);
    await until('it says what comes next', () => serving.err().includes('Next'));
    expect(serving.err()).toMatch(
      /Next {5}npx @qualitas-id\/qualinet pair \d{6} --api http:\/\/127\.0\.0\.1:\d+\n/,
    );
    serving.signal('SIGINT');
    expect(await serving.ended).toBe(0);
  });

  it('ends at once on the second signal', async () => {
    const codes: number[] = [];
    const context = testContext({
      env: { QUALINET_DATA_DIR: folder, PORT: '0' },
      exit: (code) => {
        codes.push(code);
        return undefined as never;
      },
    });
    const ended = runProgram(qualinetBridge, ['serve', ...asText], context.context);
    await until('it serves', () => context.err().includes('Next'));
    context.signal('SIGTERM');
    context.signal('SIGINT');
    context.signal('SIGTERM');
    expect(codes).toEqual([130, 143]);
    expect(await ended).toBe(0);
  });

  it('ends with 78 and the name of the port when that is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as AddressInfo;
    const serving = run(['serve', '--port', String(port), ...asText]);
    expect(await serving.ended).toBe(78);
    expect(serving.err()).toMatch(new RegExp(`the port ${port} on 127\\.0\\.0\\.1 is taken .*\n.*PORT`));
    await new Promise((resolve) => other.close(resolve));
  });

  it('ends with 78 when another bridge uses the data folder', async () => {
    const first = run(['serve', ...asText]);
    await until('it serves', () => first.err().includes('Next'));
    const second = run(['serve', ...asText]);
    expect(await second.ended).toBe(78);
    expect(second.err()).toContain(`the data folder is in use by process ${process.pid}`);
    const migrating = run(['migrate']);
    expect(await migrating.ended).toBe(78);
    first.signal('SIGTERM');
    expect(await first.ended).toBe(0);
  });

  it('ends with 64 and every problem of the configuration', async () => {
    const serving = run(['serve', '--host', '0.0.0.0', ...asText], {
      REDIS_URL: 'redis://x',
      WORKER_SECRET: 'short',
    });
    expect(await serving.ended).toBe(64);
    expect(serving.err()).toMatch(/WORKER_SECRET:.*\n.*DATABASE_URL:.*\n.*PUBLIC_URL:/);
  });
});

describe('qualinet-bridge migrate', () => {
  it('brings the database of the data folder up to date and lets go of it', async () => {
    const migrating = run(['migrate']);
    expect(await migrating.ended).toBe(0);
    expect(migrating.err()).toBe(`The database in ${folder} is up to date.\n`);
    expect(await readdir(folder)).toEqual(['database']);
  });

  it('says so as one JSON object for a program that asks', async () => {
    const migrating = run(['migrate', '--json']);
    expect(await migrating.ended).toBe(0);
    expect(JSON.parse(migrating.out())).toEqual({ database: folder, isUpToDate: true });
  });
});
