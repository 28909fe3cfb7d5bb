import { qualinetBridge } from '../../src/bridge/cli/command-table.ts';
import { qualinet } from '../../src/cli/command-table.ts';
import type { Program } from '../../src/command-line/command.ts';
import { commandHelp, programHelp } from '../../src/command-line/help.ts';

/** docs/commands.md, made from the command tables: what the programs say about themselves, word for word. */
export async function commandsDocument(): Promise<string> {
  const parts = [introduction, await programPart(qualinet), await programPart(qualinetBridge)];
  return parts.join('\n');
}

const introduction = `# Commands

What \`--help\` says, made from \`src/cli/command-table.ts\` and \`src/bridge/cli/command-table.ts\`; do not edit it here. After a
change of those run \`npx vitest run --config vitest.check.config.ts -u\`.

## For both programs

- Options stand behind the command, in any order; \`--\` ends them. A value that begins with a dash is written \`--name=-5\`.
- Results go to standard output, everything else to standard error. An error says what happened and what to type next.
- With \`--json\` standard output is exactly one JSON object on one line, also when the command fails:
  \`{"error":{"code","message","problems","hint"}}\`. The exit codes are the same.
- \`qualinet start\` and \`qualinet-bridge serve\` keep a log on standard error: lines for people at a terminal, one JSON object a line
  elsewhere (\`{"at","level","message",…}\`); \`--log-format\` decides otherwise. Their errors are lines of that log.
- Colours are for terminals, for standard output and standard error each by itself; \`NO_COLOR\`, \`CI\` and \`TERM=dumb\` mean none,
  \`FORCE_COLOR\` means some everywhere. Nothing moves, spins or is drawn over, with a terminal or without one.
- Ctrl-C ends a command in order, at a question too; \`start\` and \`serve\` finish what they have first, and end at once on another one.

## Completion

| shell | to load it |
|---|---|
| bash | \`source <(qualinet completion bash)\` in \`~/.bashrc\` |
| zsh | \`source <(qualinet completion zsh)\` in \`~/.zshrc\`, after \`compinit\` |
| fish | \`qualinet completion fish > ~/.config/fish/completions/qualinet.fish\` |
| PowerShell | \`qualinet completion powershell \\| Out-String \\| Invoke-Expression\` in \`$PROFILE\` |

The same with \`qualinet-bridge\`. Commands, their actions, options and known values are completed, and paths where a path belongs.
`;

async function programPart(program: Program): Promise<string> {
  const topics = await Promise.all(
    program.topics.map(async ({ name, load }) => section(`${program.name} help ${name}`, await load())),
  );
  return [
    section(program.name, programHelp(program), '##'),
    ...program.commands.map((entry) => section(`${program.name} ${entry.name}`, commandHelp(program, entry))),
    ...topics,
  ].join('\n');
}

function section(title: string, text: string, level = '###'): string {
  return `${level} ${title}\n\n\`\`\`\n${text}\`\`\`\n`;
}
