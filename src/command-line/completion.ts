import * as z from 'zod';
import { exitCode } from '../lib/exit-code.ts';
import { type Command, defineCommand } from './command.ts';
import { completionScripts, type Shell } from './completion-scripts.ts';

/** `<program> completion SHELL`: prints what a shell loads to complete this program's commands. */
export function completion(program: string): Command<{ args: [string] }> {
  return defineCommand({
    // The table has checked that it is one of the shells.
    options: z.object({ args: z.tuple([z.string()]) }),
    async run({ args: [shell] }, { stdout, stderr }) {
      const { script, load } = completionScripts[shell as Shell];
      stdout.write(script(program));
      if (stdout.isTTY) stderr.write(`This is for the shell to read. Load it with: ${load(program)}\n`);
      return exitCode.done;
    },
  });
}
