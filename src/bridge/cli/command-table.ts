import { logFormatOption } from '../../command-line/appearance.ts';
import type { CommandEntry, CommandOption, Program } from '../../command-line/command.ts';
import { completionEntry } from '../../command-line/completion-entry.ts';
import { exitCodesTopic } from '../../command-line/help.ts';
import { exitCode } from '../../lib/exit-code.ts';

const json: CommandOption = { flags: '--json', summary: 'One JSON object on stdout, for programs' };
const dataDir: CommandOption = {
  flags: '--data-dir <folder>',
  summary: 'Data folder of the bridge (default: QUALINET_DATA_DIR, then ~/.qualinet-bridge)',
};
const connection: readonly CommandOption[] = [
  {
    flags: '--api <url>',
    summary:
      'Address of a bridge elsewhere; the token comes from QUALINET_ADMIN_TOKEN (default: the bridge on this machine)',
  },
  dataDir,
  json,
];
const clientCodes = [exitCode.done, exitCode.unavailable, exitCode.temporary, exitCode.notReady];

/** The bridge's commands. Each is loaded only when it is called. */
export const qualinetBridge: Program = {
  name: 'qualinet-bridge',
  summary: 'Queue browser flows and lease them to runners, wherever those are.',
  examples: [
    'qualinet-bridge serve',
    'qualinet-bridge code',
    'qualinet-bridge submit flow.json --var USER=ada --wait',
  ],
  commands: [
    {
      name: 'serve',
      usage: '',
      summary: 'Run the bridge until stopped',
      group: 'Server',
      options: [
        { flags: '--host <address>', summary: 'Address to listen on (default: HOST, then 127.0.0.1)' },
        {
          flags: '--port <port>',
          summary: 'Port to listen on, 0 for any free one (default: PORT, then 4870)',
        },
        dataDir,
        { flags: '--verbose', summary: 'Tell every request' },
        logFormatOption,
      ],
      examples: [
        'qualinet-bridge serve',
        'HOST=0.0.0.0 PUBLIC_URL=https://bridge.example.com qualinet-bridge serve',
        'DATABASE_URL=postgres://... REDIS_URL=redis://... WORKER_SECRET=... QUALINET_ADMIN_TOKEN=... qualinet-bridge serve',
      ],
      exitCodes: [
        ...[exitCode.done, exitCode.unavailable, exitCode.notReady],
        ...[exitCode.interrupted, exitCode.terminated],
      ],
      load: async () => (await import('./commands/serve.ts')).serve,
    },
    {
      name: 'migrate',
      usage: '',
      summary: "Bring the bridge's own tables up to date, without serving (serve does it as well)",
      group: 'Server',
      options: [dataDir, json],
      examples: ['qualinet-bridge migrate'],
      exitCodes: [exitCode.done, exitCode.unavailable, exitCode.notReady],
      load: async () => (await import('./commands/migrate.ts')).migrate,
    },
    {
      name: 'code',
      usage: '',
      summary: 'Make a 6-digit pairing code and print the command that uses it',
      group: 'Runners',
      options: [
        { flags: '--workspace <name>', summary: 'Workspace of the runner (default: default)' },
        { flags: '--labels <labels>', summary: 'Labels the runner gets, separated by commas' },
        {
          flags: '--needs-approval',
          summary: 'The runner waits until an operator approves it (the default beside a backend)',
        },
        {
          flags: '--auto-approve',
          summary: 'The runner is approved when it redeems the code (the default without servers)',
        },
        {
          flags: '--managed',
          summary: 'For a managed runner (needs QUALINET_ALLOW_MANAGED_PAIR=true on the bridge)',
        },
        ...connection,
      ],
      examples: ['qualinet-bridge code', 'qualinet-bridge code --workspace acme --labels eu,linux'],
      exitCodes: clientCodes,
      load: async () => (await import('./commands/code.ts')).code,
    },
    {
      name: 'runners',
      usage: '',
      summary: 'List the runners',
      group: 'Runners',
      options: connection,
      examples: ['qualinet-bridge runners'],
      exitCodes: clientCodes,
      load: async () => (await import('./commands/runners.ts')).runners,
    },
    runnerCommand('approve', 'Approve a pending runner; compare its check word first'),
    runnerCommand('deny', 'Deny a pending runner'),
    runnerCommand('drain', 'Give a runner no further runs'),
    runnerCommand('undrain', 'Give a drained runner runs again'),
    runnerCommand('revoke', 'End the credentials of a runner, for good'),
    {
      name: 'submit',
      usage: '<flow>',
      summary: 'Queue a flow file',
      group: 'Runs',
      options: [
        { flags: '--var <name=value>', summary: 'Set a variable of the flow', repeatable: true },
        { flags: '--wait', summary: 'Follow the run to its end; exit code 0 when it passed, 1 when not' },
        { flags: '--workspace <name>', summary: 'Workspace whose runners may take it (default: default)' },
        { flags: '--labels <labels>', summary: 'Labels a runner must have, separated by commas' },
        {
          flags: '--priority <number>',
          summary: 'Higher runs first, -1000 to 1000 (default: 0; below it: --priority=-5)',
        },
        {
          flags: '--on-redelivery <mode>',
          summary:
            'When its runner is lost: rerun (default), fail, or auto (rerun unless a click or input had begun)',
          values: ['rerun', 'fail', 'auto'],
        },
        {
          flags: '--flow-id <id>',
          summary: "Id of the flow in the backend's tables, where there is a backend",
        },
        ...connection,
      ],
      examples: [
        'qualinet-bridge submit flow.json --wait',
        'qualinet-bridge submit flow.json --var USER=ada --json',
      ],
      exitCodes: [...clientCodes, exitCode.flowFailed, exitCode.interrupted, exitCode.terminated],
      load: async () => (await import('./commands/submit.ts')).submit,
    },
    {
      name: 'runs',
      usage: '[id]',
      summary: 'List the newest runs, or show one with its steps',
      group: 'Runs',
      options: connection,
      examples: ['qualinet-bridge runs', 'qualinet-bridge runs 0f9f2d0e-7f0c-4a53-9d5c-2f7b1e0c8a11'],
      exitCodes: clientCodes,
      load: async () => (await import('./commands/runs.ts')).runs,
    },
    {
      name: 'why',
      usage: '<id>',
      summary: 'Say why a run waits: what each runner of its workspace lacks to take it',
      group: 'Runs',
      options: connection,
      examples: ['qualinet-bridge why 0f9f2d0e-7f0c-4a53-9d5c-2f7b1e0c8a11'],
      exitCodes: clientCodes,
      load: async () => (await import('./commands/why.ts')).why,
    },
    {
      name: 'cancel',
      usage: '<id>',
      summary: 'End a run: at once while it waits, within 5 s while it executes',
      group: 'Runs',
      options: connection,
      examples: ['qualinet-bridge cancel 0f9f2d0e-7f0c-4a53-9d5c-2f7b1e0c8a11'],
      exitCodes: clientCodes,
      load: async () => (await import('./commands/cancel.ts')).cancel,
    },
    completionEntry('qualinet-bridge'),
  ],
  topics: [
    {
      name: 'environment',
      summary: 'Every variable that is read, and the option that stands over it',
      load: async () => (await import('./environment-topic.ts')).environmentTopic(),
    },
    exitCodesTopic(() => qualinetBridge.commands),
  ],
};

function runnerCommand(
  name: 'approve' | 'deny' | 'drain' | 'undrain' | 'revoke',
  summary: string,
): CommandEntry {
  return {
    name,
    usage: '<id>',
    summary,
    group: 'Runners',
    options: connection,
    examples: [`qualinet-bridge ${name} 7b0f8f0e-7a39-4c0e-9d4e-1a2b3c4d5e6f`],
    exitCodes: clientCodes,
    load: async () => (await import('./commands/change-runner.ts')).changeRunner(name),
  };
}
