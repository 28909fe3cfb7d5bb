import {
  appendFile,
  mkdir,
  readdir,
  readFile,
  rename,
  rmdir,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openAuditLog } from '../../../src/agent/audit/audit-log.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { keptLog } from '../agent-fixture.ts';

async function auditLog(limitBytes?: number) {
  const home = await tempFolder();
  const path = join(home, 'audit.jsonl');
  const log = keptLog();
  const audit = openAuditLog(home, {
    clock: new ManualClock(),
    log,
    ...(limitBytes === undefined ? {} : { limitBytes }),
  });
  const entries = async (file = path) =>
    (await readFile(file, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { home, path, log, audit, entries };
}

describe('the audit log', () => {
  it('has one JSON object a line with its time, in a file that only its owner reads', async () => {
    const { audit, path, entries } = await auditLog();
    audit.write({ event: 'one', count: 1, is: true, none: null, types: ['a', 'b'] });
    audit.write({ event: 'two' });
    expect(await entries()).toEqual([
      {
        at: expect.stringMatching(/^\d{4}-.*Z$/),
        event: 'one',
        count: 1,
        is: true,
        none: null,
        types: ['a', 'b'],
      },
      { at: expect.any(String), event: 'two' },
    ]);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(audit.problem()).toBeNull();
  });

  it('keeps what strangers write on its line, short, and without anything a terminal obeys', async () => {
    const { audit, path, entries } = await auditLog();
    const hostile = 'a\n{"event":"forged"}\r\u001b[2J\u009b31m\u2028\u202egnp\u0000';
    audit.write({ event: 'run_asked', name: hostile, types: [hostile], long: 'x'.repeat(10_000) });
    const text = await readFile(path, 'utf8');
    expect(text.split('\n')).toHaveLength(2);
    const [entry] = await entries();
    expect(entry).toMatchObject({ event: 'run_asked', name: 'a {"event":"forged"} [2J 31m gnp ' });
    expect(JSON.stringify(entry)).not.toMatch(/\\u00|\\n|[\u0080-\u009f\u2028\u202e]/);
    expect(String(entry?.['long'])).toHaveLength(501);
  });

  it('is rotated by size, and the oldest of five files goes', async () => {
    const { audit, home, path, entries } = await auditLog(2_000);
    for (let n = 0; n < 200; n += 1) audit.write({ event: 'entry', n, filler: 'y'.repeat(100) });
    const names = (await readdir(home)).sort();
    expect(names).toEqual(['audit.jsonl', ...[1, 2, 3, 4].map((n) => `audit.jsonl.${n}`)]);
    const kept = [];
    for (const name of [...names.slice(1).reverse(), 'audit.jsonl']) {
      expect((await stat(join(home, name))).size).toBeLessThanOrEqual(2_000);
      kept.push(...(await entries(join(home, name))));
    }
    const numbers = kept.map(({ n }) => Number(n));
    expect(numbers).toEqual(numbers.map((_, index) => 200 - numbers.length + index));
    expect(numbers.length).toBeGreaterThan(40);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('that cannot be written says so once, and counts what it misses when it can again', async () => {
    const { audit, path, log, entries } = await auditLog();
    await mkdir(path);
    audit.write({ event: 'lost' });
    audit.write({ event: 'lost' });
    expect(audit.problem()).toContain(path);
    expect(log.lines.filter((line) => line.startsWith('error'))).toHaveLength(1);
    await rmdir(path);
    audit.write({ event: 'kept' });
    expect(audit.problem()).toBeNull();
    expect(await entries()).toMatchObject([{ event: 'entries_missed', count: 2 }, { event: 'kept' }]);
  });

  it('does not follow a link that was laid in its place', async () => {
    const { audit, path, home } = await auditLog();
    await writeFile(join(home, 'elsewhere'), '');
    await symlink(join(home, 'elsewhere'), path);
    audit.write({ event: 'one' });
    expect(audit.problem()).not.toBeNull();
    expect(await readFile(join(home, 'elsewhere'), 'utf8')).toBe('');
  });

  it('begins a line of its own after half a line that a power cut left', async () => {
    const { audit, path } = await auditLog();
    await appendFile(path, '{"at":"2026');
    audit.write({ event: 'next' });
    const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
    expect(lines).toHaveLength(2);
    expect(JSON.parse(lines[1] ?? '')).toMatchObject({ event: 'next' });
  });

  it('goes on in a file of its own when somebody moves it away', async () => {
    const { audit, path, entries } = await auditLog();
    audit.write({ event: 'before' });
    await rename(path, `${path}.moved`);
    audit.write({ event: 'after' });
    expect(await entries()).toMatchObject([{ event: 'after' }]);
  });
});
