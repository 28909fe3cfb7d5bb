import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { validate } from 'dockerfile-utils';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const text = readFileSync(join(root, 'Dockerfile'), 'utf8');

const stages = text.split(/^FROM /m).slice(1);
const named = (name: string) => stages.find((stage) => stage.split('\n')[0]?.endsWith(` AS ${name}`)) ?? '';

describe('the Dockerfile', () => {
  it('has no fault that the linter knows', () => {
    expect(validate(text).map(({ message, range }) => `line ${range.start.line + 1}: ${message}`)).toEqual(
      [],
    );
  });

  it('is checked by a linter that finds faults', () => {
    expect(validate('FROM node:24\nCOPYY a b\nEXPOSE many\n').length).toBeGreaterThanOrEqual(2);
  });

  it.each(['runner', 'bridge'])('runs the %s without root, under an init process', (name) => {
    expect(named(name)).toMatch(/^USER qualinet$/m);
    expect(named(name)).toMatch(/^ENTRYPOINT \["tini", "--"/m);
  });

  it('makes the runner when no stage is named, without anything of the server in it', () => {
    const last = stages.at(-1) ?? '';
    expect(last).toContain(' AS runner');
    expect(last).not.toMatch(/bridge/);
  });
});
