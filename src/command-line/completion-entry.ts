import { exitCode } from '../lib/exit-code.ts';
import type { CommandEntry } from './command.ts';

/** The line of a command table that makes shells complete the table. */
export function completionEntry(program: string): CommandEntry {
  return {
    name: 'completion',
    usage: '<shell>',
    actions: ['bash', 'zsh', 'fish', 'powershell'],
    summary: 'Print what makes a shell complete commands, options and values: bash, zsh, fish or powershell',
    group: 'More',
    options: [],
    examples: [
      `source <(${program} completion bash)`,
      `${program} completion fish > ~/.config/fish/completions/${program}.fish`,
    ],
    exitCodes: [exitCode.done],
    load: async () => (await import('./completion.ts')).completion(program),
  };
}
