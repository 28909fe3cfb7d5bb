import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type CommandContext, defineCommand, type Program } from '../../src/command-line/command.ts';
import { runProgram } from '../../src/command-line/run-program.ts';
import { EnvironmentError } from '../../src/lib/errors.ts';
import { version } from '../../src/lib/version.ts';
import { testContext } from '../support/test-context.ts';

const echo = defineCommand({
  options: z.object({
    args: z.array(z.string()),
    name: z.string().optional(),
    var: z.array(z.string()).optional(),
    count: z.coerce.number().int().optional(),
    json: z.boolean().optional(),
    beQuick: z.boolean().optional(),
  }),
  run: async (options: unknown, { stdout }: CommandContext) => {
    stdout.write(JSON.stringify(options));
    return 0;
  },
});

const program: Program = {
  name: 'demo',
  summary: 'A program.',
  examples: ['demo pair 012345'],
  topics: [{ name: 'weather', summary: 'How it is', load: async () => 'Fair.\n' }],
  commands: [
    {
      name: 'pair',
      usage: '[code]',
      summary: 'Pair it',
      group: 'Start',
      options: [
        { flags: '--name <name>', summary: 'A name' },
        { flags: '--var <name=value>', summary: 'A variable', repeatable: true },
        { flags: '--count <n>', summary: 'A number' },
        { flags: '--force', summary: 'Do it' },
        { flags: '--be-quick', summary: 'Hurry' },
        { flags: '--mood <mood>', summary: 'A mood', values: ['happy', 'sad'] },
        { flags: '--json', summary: 'For programs' },
      ],
      examples: ['demo pair 012345'],
      exitCodes: [0, 78],
      load: async () => echo,
    },
    {
      name: 'tend',
      usage: '<action>',
      actions: ['install', 'print'],
      summary: 'Tend it',
      group: 'Start',
      options: [],
      examples: ['demo tend print'],
      exitCodes: [0],
      load: async () => echo,
    },
    {
      name: 'run',
      usage: '<flow>',
      summary: 'Run it',
      group: 'Debug',
      options: [{ flags: '--json', summary: 'For programs' }],
      examples: ['demo run a'],
      exitCodes: [0],
      load: async () => ({
        options: z.unknown(),
        run: async (options) => {
          if (JSON.stringify(options).includes('bug')) throw new TypeError('a bug');
          throw new EnvironmentError('no browser', { hint: 'Install one', problems: ['looked here'] });
        },
      }),
    },
  ],
};

async function call(...argv: string[]) {
  const { context, out, err } = testContext();
  const code = await runProgram(program, argv, context);
  return { code, out: out(), err: err() };
}

describe('a command line', () => {
  it.each([
    [['pair', '012345'], { args: ['012345'] }],
    [['pair', '000123', '--name', '007'], { args: ['000123'], name: '007' }],
    [['pair', '--name=0x10', '1e3'], { args: ['1e3'], name: '0x10' }],
    [['pair', '--var', 'A=1', '--var=B=a=b', '--json'], { args: [], var: ['A=1', 'B=a=b'], json: true }],
    [['pair', '--var', 'A='], { args: [], var: ['A='] }],
    [['pair', '--count', '3', '-'], { args: ['-'], count: 3 }],
    [['pair', '--', '012345'], { args: ['012345'] }],
    [['pair', '--name', 'a', '--', '--name'], { args: ['--name'], name: 'a' }],
    [['pair', '--name=--json'], { args: [], name: '--json' }],
    [['pair', ''], { args: [''] }],
    [['pair', '--json', 'true'], { args: ['true'], json: true }],
    [['pair', '--force', '7'], { args: ['7'] }],
    [['pair', '--be-quick', 'a'], { args: ['a'], beQuick: true }],
    [['pair', '--name', '-'], { args: [], name: '-' }],
    [['pair', '--json', '--', '--force'], { args: ['--force'], json: true }],
    [['pair', '\u{e000}', '--name', 'a\u{e000}'], { args: ['\u{e000}'], name: 'a\u{e000}' }],
    [['pair', '--name', '0', '-1e3'.slice(1)], { args: ['1e3'], name: '0' }],
    [['--json', 'pair'], { args: [], json: true }],
    [
      ['pair', '--name', 'constructor', '--var', '__proto__=1'],
      { args: [], name: 'constructor', var: ['__proto__=1'] },
    ],
  ])('%j keeps what was typed', async (argv, options) => {
    const { code, out } = await call(...argv);
    expect([code, JSON.parse(out)]).toEqual([0, options]);
  });

  it.each([
    [['piar'], 'there is no command "piar"', 'Did you mean: demo pair'],
    [['frobnicate'], 'there is no command "frobnicate"', 'Run: demo --help'],
    [['pair', '--nmae', 'x'], 'unknown option "--nmae"', 'Did you mean: --name'],
    [['pair', '--name'], 'value is missing', 'Run: demo pair --help'],
    [['pair', '1', '2'], 'one argument too many: "2"', 'Run: demo pair --help'],
    [['run'], 'an argument is missing: <flow>', 'Run: demo run --help'],
    [['pair', '--name', 'a', '--name', 'b'], '--name is given 2 times', 'Run: demo pair --help'],
    [['pair', '--count', 'many'], '--count: ', 'Run: demo pair --help'],
    [['--frob'], 'unknown option --frob', 'Run: demo --help'],
    [['pair', '-x'], 'unknown option "-x"', 'Run: demo pair --help'],
    [['pair', '-n', 'x'], 'unknown option "-n"', 'Run: demo pair --help'],
    [['pair', '--no-json'], 'unknown option "--no-json"', 'Run: demo pair --help'],
    [['pair', '--fo-rce'], 'unknown option "--fo-rce"', 'Did you mean: --force'],
    [['pair', '--foRce'], 'unknown option "--foRce"', 'Did you mean: --force'],
    [['pair', '--name=1', '--name.first=2'], 'unknown option "--name.first"', 'Run: demo pair --help'],
    [['pair', '--_', '1'], 'unknown option "--_"', 'Run: demo pair --help'],
    [['pair', '--__proto__'], 'unknown option "--__proto__"', 'Run: demo pair --help'],
    [['pair', '--var', 'A=1', '--var'], 'a value is missing: --var <name=value>', 'Run: demo pair --help'],
    [['--frob', 'pair'], 'unknown option "--frob"', 'Run: demo pair --help'],
    [['pair', '--constructor'], 'unknown option "--constructor"', 'Run: demo pair --help'],
    [['pair', '--force', '--force'], '--force is given 2 times', 'Run: demo pair --help'],
    [['pair', '--json=false'], '--json takes no value', 'Run: demo pair --help'],
    [['pair', '--name='], 'the value is empty: --name <name>', 'Run: demo pair --help'],
    [['pair', '--name', ''], 'the value is empty: --name <name>', 'Run: demo pair --help'],
    [['pair', '--name', '--force'], 'a value is missing: --name <name>', 'write: --name=--force'],
    [['pair', '--mood', 'hapy'], '--mood must be happy or sad, not "hapy"', 'Did you mean: --mood happy'],
    [['pair', '--mood', 'blue'], '--mood must be happy or sad, not "blue"', 'Run: demo pair --help'],
    [
      ['tend', 'instal'],
      'demo tend knows no "instal"; it is install or print',
      'Did you mean: demo tend install',
    ],
    [['tend'], 'an argument is missing: <action>; it is install or print', 'Run: demo tend --help'],
    [['help', 'piar'], 'there is no command or topic "piar"', 'Did you mean: demo help pair'],
    [['help', 'wether'], 'there is no command or topic "wether"', 'Did you mean: demo help weather'],
  ])('%j is refused with exit code 64 and what to type', async (argv, message, hint) => {
    const { code, out, err } = await call(...argv);
    expect(code).toBe(64);
    expect(out).toBe('');
    expect(err).toContain(message);
    expect(err).toContain(hint);
  });

  it.each([[[]], [['--help']], [['-h']], [['help']]])('%j gives the help of the program', async (argv) => {
    const { code, out } = await call(...argv);
    expect(code).toBe(0);
    expect(out).toMatch(/Start:\n {2}pair +Pair it\n/);
    expect(out).toMatch(/Topics of "demo help <topic>":\n {2}weather {2}How it is\n/);
    expect(out).toContain('$ demo pair 012345');
  });

  it.each([
    [['pair', '--help']],
    [['help', 'pair']],
    [['pair', '012345', '-h']],
    [['-h', 'pair']],
    [['pair', '--frob', '--name', '-h']],
  ])('%j gives the help of a command', async (argv) => {
    const { code, out } = await call(...argv);
    expect(code).toBe(0);
    expect(out).toContain('Usage: demo pair [code] [options]');
    expect(out).toMatch(/--name <name> +A name/);
    expect(out).toMatch(/ 78 +not paired/);
  });

  it('gives the text of a topic', async () => {
    expect(await call('help', 'weather')).toEqual({ code: 0, out: 'Fair.\n', err: '' });
  });

  it.each([[['--version']], [['-v']], [['--version', 'pair', '--frob']]])(
    '%j gives the version, whatever stands behind it',
    async (argv) => {
      expect(await call(...argv)).toEqual({ code: 0, out: `${version}\n`, err: '' });
    },
  );

  it('gives the version as JSON for a program that asked', async () => {
    expect(await call('--version', '--json')).toEqual({
      code: 0,
      out: `${JSON.stringify({ version })}\n`,
      err: '',
    });
  });

  it('takes --json behind -- for an argument, also when it tells an error', async () => {
    expect((await call('run', '--', '--json')).out).toBe('');
  });

  it.each([[['piar', '--json']], [['pair', '--frob', '--json']], [['--json']]])(
    '%j tells even a wrong command line as one JSON object',
    async (argv) => {
      const { code, out } = await call(...argv);
      expect(code).toBe(64);
      expect(JSON.parse(out)).toMatchObject({ error: { code: 'usage' } });
      expect(out.trimEnd()).not.toContain('\n');
    },
  );

  it('tells an expected error on stderr, and on stdout as JSON for a program that asked', async () => {
    const plain = await call('run', 'a');
    expect(plain).toEqual({ code: 78, out: '', err: 'error: no browser\n  - looked here\nInstall one\n' });
    const json = await call('run', 'a', '--json');
    expect(JSON.parse(json.out)).toEqual({
      error: { code: 'environment', message: 'no browser', problems: ['looked here'], hint: 'Install one' },
    });
  });

  it('tells a bug with its stack', async () => {
    const { code, err } = await call('run', 'bug');
    expect(code).toBe(70);
    expect(err).toMatch(/this is a bug[\s\S]*TypeError: a bug\n +at /);
  });
});
