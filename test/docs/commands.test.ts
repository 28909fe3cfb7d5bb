import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { agentSettings } from '../../src/agent/config/agent-config.ts';
import type { Setting } from '../../src/agent/config/setting.ts';
import { qualinetBridge } from '../../src/bridge/cli/command-table.ts';
import { bridgeVariableSummaries } from '../../src/bridge/cli/environment-topic.ts';
import { bridgeVariables } from '../../src/bridge/config.ts';
import { qualinet } from '../../src/cli/command-table.ts';
import { engineOptions } from '../../src/cli/engine-options.ts';
import { declaredArguments, declaredOption } from '../../src/command-line/declared.ts';
import { commandHelp } from '../../src/command-line/help.ts';
import { parseCommandLine } from '../../src/command-line/parse-command-line.ts';
import { exitCodeMeaning } from '../../src/lib/exit-code.ts';
import { commandsDocument } from '../support/commands-document.ts';

const root = join(import.meta.dirname, '../..');
const entries = [qualinet, qualinetBridge].flatMap((program) =>
  program.commands.map((entry) => ({ program, entry })),
);

/** The arguments of the example's own program, as a shell would pass them: what stands before and behind it is left out. */
function argumentsIn(example: string, program: string): string[] {
  const [, typed = ''] = new RegExp(`(?:^|[ (])${program} ([^|<>)]*)`).exec(example) ?? [];
  return typed
    .trim()
    .split(/ +/)
    .filter((part) => part !== '');
}

describe('docs/commands.md', () => {
  it('is what the programs say', async () => {
    await expect(await commandsDocument()).toMatchFileSnapshot(join(root, 'docs/commands.md'));
  });
});

describe('the command tables', () => {
  it.each(entries)(
    '$program.name $entry.name has summary, examples and exit codes, and its help shows them',
    ({ program, entry }) => {
      const help = commandHelp(program, entry);
      expect(entry.summary).toMatch(/^[A-Z].*[^.]$/);
      expect(entry.examples.length).toBeGreaterThan(0);
      expect(entry.exitCodes).toContain(0);
      for (const code of entry.exitCodes) expect(exitCodeMeaning[code] ?? '').not.toBe('');
      for (const text of [entry.summary, ...entry.examples]) expect(help).toContain(text);
      for (const code of [...entry.exitCodes, 64, 70])
        expect(help).toMatch(new RegExp(`^ +${code} +\\S`, 'm'));
      for (const option of entry.options) {
        expect(option.flags).toMatch(/^--[a-z][a-z-]*( <[a-z=:-]+>)?$/);
        expect(option.summary).toMatch(/^[A-Z]/);
        expect(help).toContain(option.flags);
      }
    },
  );

  it.each(entries)(
    '$program.name $entry.name has examples that its own parser takes',
    ({ program, entry }) => {
      for (const example of entry.examples) {
        const request = parseCommandLine(program, argumentsIn(example, program.name));
        expect(request).toMatchObject({ kind: 'run', entry: { name: entry.name } });
      }
    },
  );

  it.each([qualinet, qualinetBridge])(
    '$name begins its help with examples that its own parser takes',
    (program) => {
      expect(program.examples.length).toBeGreaterThan(1);
      for (const example of program.examples) {
        expect(parseCommandLine(program, argumentsIn(example, program.name)).kind).toBe('run');
      }
    },
  );

  it.each(entries)(
    '$program.name $entry.name has just the options that its command reads',
    async ({ entry }) => {
      const { options } = await entry.load();
      if (!(options instanceof z.ZodObject)) throw new Error(`the options of ${entry.name} are no z.object`);
      const { args, ...fields } = options.shape as Record<string, z.ZodType>;
      expect(entry.options.map((option) => declaredOption(option).name).sort()).toEqual(
        Object.keys(fields).sort(),
      );
      for (const option of entry.options) {
        const { name, placeholder } = declaredOption(option);
        const isSwitch = fields[name]?.safeParse(true).success;
        expect([name, isSwitch]).toEqual([name, placeholder === null]);
        for (const value of option.values ?? []) expect(fields[name]?.safeParse(value).success).toBe(true);
      }
      expect(args?.safeParse(declaredArguments(entry).map(() => null)).success).toBe(
        declaredArguments(entry).length === 0,
      );
      for (const action of entry.actions ?? []) expect(args?.safeParse([action]).success).toBe(true);
    },
  );

  it('have no option or command twice', () => {
    for (const { entry } of entries) {
      const flags = entry.options.map((option) => declaredOption(option).long);
      expect(new Set(flags).size).toBe(flags.length);
    }
    for (const { commands } of [qualinet, qualinetBridge]) {
      expect(new Set(commands.map(({ name }) => name)).size).toBe(commands.length);
    }
  });
});

describe('settings of the runner', () => {
  const flags = Object.values<Setting>(agentSettings).flatMap(({ flag }) => flag ?? []);

  it('have their options in the command table', () => {
    const known = qualinet.commands.flatMap(({ options }) =>
      options.map((option) => declaredOption(option).long),
    );
    expect(flags.filter((flag) => !known.includes(flag.slice(2)))).toEqual([]);
  });

  it('are all that decides how flows are executed, but for the window', () => {
    const others = engineOptions.map((option) => `--${declaredOption(option).long}`);
    expect(others.filter((flag) => !flags.includes(flag))).toEqual(['--headed']);
  });

  it('are told by "qualinet help environment"', async () => {
    const text = await qualinet.topics.find(({ name }) => name === 'environment')?.load();
    for (const { variables } of Object.values<Setting>(agentSettings)) {
      for (const name of variables) expect(text).toContain(name);
    }
  });
});

describe('"qualinet-bridge help environment"', () => {
  it('tells every variable that the bridge reads, and no other', () => {
    expect(Object.keys(bridgeVariableSummaries).sort()).toEqual([...bridgeVariables].sort());
  });
});
