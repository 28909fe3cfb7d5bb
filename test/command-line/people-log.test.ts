import { describe, expect, it } from 'vitest';
import { usesColor } from '../../src/command-line/appearance.ts';
import { peopleLog } from '../../src/command-line/people-log.ts';
import { Secret } from '../../src/lib/secret.ts';
import { testContext } from '../support/test-context.ts';

const terminal = { write: () => {}, isTTY: true };

describe('a log for people', () => {
  it('writes to stderr alone, without colours where nobody wants them, and prints no secret', () => {
    const { context, out, err } = testContext();
    const log = peopleLog(context);
    log.debug('too fine');
    log.info('paired', { as: 'demo', key: new Secret('hunter2') });
    log.warn('slow');
    log.error('broken');
    expect(out()).toBe('');
    expect(err().replace(/^\d\d:\d\d:\d\d /gm, '')).toBe(
      'paired as=demo key=<redacted>\nwarning: slow\nerror: broken\n',
    );
  });

  it('tells the same thing as often as it is said', () => {
    const { context, err } = testContext();
    const log = peopleLog(context);
    for (let time = 0; time < 20; time += 1) log.info('again');
    expect(err().match(/again/g)).toHaveLength(20);
  });

  it('marks its lines with colours at a terminal', () => {
    const written: string[] = [];
    const stderr = { write: (text: string) => void written.push(text), isTTY: true };
    peopleLog({ stderr, env: {} }).warn('slow');
    expect(written.join('')).toContain('\u001b[');
    expect(written.join('')).toContain('slow');
  });
});

describe('colours', () => {
  it.each([
    [{}, true],
    [{ NO_COLOR: '1' }, false],
    [{ NO_COLOR: '' }, true],
    [{ CI: 'true' }, false],
    [{ TERM: 'dumb' }, false],
    [{ NO_COLOR: '1', FORCE_COLOR: '1' }, true],
    [{ FORCE_COLOR: '0' }, false],
  ])('at a terminal with %j: %s', (env, expected) => {
    expect(usesColor(terminal, env)).toBe(expected);
  });

  it('are for terminals', () => {
    expect(usesColor({ ...terminal, isTTY: false }, {})).toBe(false);
  });
});
