import { describe, expect, it } from 'vitest';
import { usesColor } from '../../src/command-line/appearance.ts';
import { openLog } from '../../src/command-line/open-log.ts';
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

function recorder(isTTY: boolean) {
  const texts: string[] = [];
  const stderr = { write: (text: string) => void texts.push(text), isTTY };
  return { stderr, written: () => texts.join('') };
}

describe('colours', () => {
  const cases: [Record<string, string>, boolean, boolean][] = [
    [{}, true, false],
    [{ NO_COLOR: '1' }, false, false],
    [{ NO_COLOR: '' }, true, false],
    [{ CI: 'true' }, false, false],
    [{ CI: '' }, true, false],
    [{ TERM: 'dumb' }, false, false],
    [{ TERM: 'xterm-256color' }, true, false],
    [{ FORCE_COLOR: '1' }, true, true],
    [{ FORCE_COLOR: '' }, true, false],
    [{ FORCE_COLOR: '0' }, false, false],
    [{ FORCE_COLOR: 'false' }, false, false],
    [{ NO_COLOR: '1', FORCE_COLOR: '1' }, true, true],
    [{ CI: 'true', FORCE_COLOR: '1' }, true, true],
  ];

  it.each(cases)('with %j at a terminal: %s, elsewhere: %s', (env, atTerminal, elsewhere) => {
    expect(usesColor(terminal, env)).toBe(atTerminal);
    expect(usesColor({ ...terminal, isTTY: false }, env)).toBe(elsewhere);
  });

  it.each([
    ['stdout is a terminal', { stdout: true, stderr: false }, false],
    ['stderr is a terminal', { stdout: false, stderr: true }, true],
  ])('of what is said on stderr do not depend on stdout: %s', (_, isTTY, expected) => {
    const { stderr, written } = recorder(isTTY.stderr);
    const { context } = testContext({ stdout: { ...terminal, isTTY: isTTY.stdout }, stderr });
    peopleLog(context).error('broken');
    expect(written().includes('\u001b[')).toBe(expected);
  });
});

describe('the log of a command that stays', () => {
  it.each([
    [true, undefined, 'text'],
    [false, undefined, 'json'],
    [true, 'json', 'json'],
    [false, 'text', 'text'],
  ] as const)('with a terminal: %s, asked for: %s, is %s', (isTTY, format, expected) => {
    const { stderr, written } = recorder(isTTY);
    const { log, isForPeople } = openLog({ stderr, env: { NO_COLOR: '1' } }, { format });
    log.warn('slow', { afterMs: 7 });
    expect(isForPeople).toBe(expected === 'text');
    if (expected === 'text') expect(written()).toMatch(/^\d\d:\d\d:\d\d warning: slow afterMs=7\n$/);
    else expect(JSON.parse(written())).toMatchObject({ level: 'warn', message: 'slow', afterMs: 7 });
  });
});
