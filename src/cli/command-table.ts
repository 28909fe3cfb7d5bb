import { logFormatOption } from '../command-line/appearance.ts';
import type { CommandOption, Program } from '../command-line/command.ts';
import { completionEntry } from '../command-line/completion-entry.ts';
import { exitCodesTopic } from '../command-line/help.ts';
import { exitCode } from '../lib/exit-code.ts';
import { engineOptions, lifeOptions, serviceOptions, wayOptions } from './engine-options.ts';

const json: CommandOption = { flags: '--json', summary: 'One JSON object on stdout, for programs' };

/** The runner's commands. Each is loaded only when it is called. */
export const qualinet: Program = {
  name: 'qualinet',
  summary: 'Run browser flows for your team from your own machine.',
  examples: [
    'qualinet pair 482913 --api https://api.example.com',
    'qualinet start',
    'qualinet run flow.json --var USER=ada',
  ],
  commands: [
    {
      name: 'pair',
      usage: '[code]',
      summary: 'Pair this machine with a bridge by a 6-digit code',
      group: 'Get started',
      options: [
        { flags: '--api <url>', summary: 'Address of the bridge (default: API_BASE_URL)' },
        { flags: '--name <name>', summary: 'What operators call this runner (default: the host name)' },
        { flags: '--labels <labels>', summary: 'Labels of this runner, separated by commas' },
        {
          flags: '--managed',
          summary: 'Pair as a managed runner (needs QUALINET_ALLOW_MANAGED_PAIR=true and its secret)',
        },
        { flags: '--force', summary: 'Replace the credentials that are here' },
        ...wayOptions,
        json,
      ],
      examples: ['qualinet pair 482913 --api https://api.example.com', 'echo 482913 | qualinet pair -'],
      exitCodes: [
        exitCode.done,
        exitCode.unavailable,
        exitCode.temporary,
        exitCode.credentialsRefused,
        exitCode.notReady,
        exitCode.interrupted,
        exitCode.terminated,
      ],
      load: async () => (await import('./commands/pair.ts')).pair,
    },
    {
      name: 'start',
      usage: '',
      summary: 'Take runs from the bridge and execute them until stopped',
      group: 'Get started',
      options: [
        { flags: '--once', summary: 'Take one run, finish it, end' },
        ...lifeOptions,
        ...engineOptions,
        logFormatOption,
      ],
      examples: ['qualinet start', 'qualinet start --concurrency 2', 'qualinet start --health-listen 4871'],
      exitCodes: [
        exitCode.done,
        exitCode.unavailable,
        exitCode.credentialsRefused,
        exitCode.notReady,
        exitCode.interrupted,
        exitCode.terminated,
      ],
      load: async () => (await import('./commands/start.ts')).start,
    },
    {
      name: 'run',
      usage: '<flow...>',
      summary:
        'Run flow files and recordings here and now, without any server; a folder or pattern runs all in it',
      group: 'Debug',
      options: [
        { flags: '--var <name=value>', summary: 'Set a variable of the flow', repeatable: true },
        {
          flags: '--workers <runs>',
          summary: 'Runs beside each other (default: as many as there are processors)',
        },
        { flags: '--retries <times>', summary: 'Run a flow that failed again, this often at most' },
        { flags: '--repeat <times>', summary: 'Run each flow this often, and say how steady it is' },
        {
          flags: '--report <kind=file>',
          summary: 'Write a report: junit=FILE, html=FILE, or both separated by a comma',
          repeatable: true,
        },
        {
          flags: '--screenshots <folder>',
          summary: 'Where the picture of a failure goes (default: qualinet-screenshots)',
        },
        {
          flags: '--trace <when>',
          summary: "Record a trace for Playwright's viewer, and keep it: always or on-failure",
          values: ['always', 'on-failure'],
        },
        { flags: '--traces <folder>', summary: 'Where traces go (default: qualinet-traces)' },
        {
          flags: '--trace-secrets',
          summary: "Let traces hold this machine's secrets, which they show as typed",
        },
        { flags: '--slow-mo <ms>', summary: 'Rest this long before each step' },
        { flags: '--step', summary: 'Wait for Enter before each step' },
        { flags: '--lenient', summary: 'Run recordings without the steps that cannot be kept' },
        ...engineOptions,
        json,
      ],
      examples: [
        'qualinet run flow.json',
        'qualinet run flow.json --var BASE=http://localhost:3000 --json',
        'qualinet run flows --workers 4 --retries 1 --report junit=report.xml,html=report.html',
        'qualinet run login.side --headed --slow-mo 500',
        'qualinet run - < flow.json',
      ],
      exitCodes: [
        exitCode.done,
        exitCode.flowFailed,
        exitCode.notReady,
        exitCode.interrupted,
        exitCode.terminated,
      ],
      load: async () => (await import('./commands/run.ts')).run,
    },
    {
      name: 'import',
      usage: '<file>',
      summary: 'Turn a recording of Chrome DevTools, Selenium IDE or Playwright codegen into flow files',
      group: 'Debug',
      options: [
        {
          flags: '--output <path>',
          short: 'o',
          summary: 'The flow file to write, or the folder for several (default: standard output)',
        },
        { flags: '--lenient', summary: 'Leave out the steps that cannot be kept, and mark them' },
        { flags: '--force', summary: 'Replace files that are there' },
        json,
      ],
      examples: [
        'qualinet import recording.json -o flow.json',
        'qualinet import project.side -o flows',
        'qualinet import codegen.js --lenient -o flow.json',
      ],
      exitCodes: [exitCode.done, exitCode.notReady],
      load: async () => (await import('./commands/import.ts')).importRecording,
    },
    {
      name: 'export',
      usage: '<flow>',
      summary: 'Write a flow as a test of Playwright',
      group: 'Debug',
      options: [
        { flags: '--playwright', summary: 'As a test for @playwright/test' },
        { flags: '--output <path>', short: 'o', summary: 'The file to write (default: standard output)' },
        { flags: '--lenient', summary: 'Leave out the steps of a recording that cannot be kept' },
        { flags: '--force', summary: 'Replace a file that is there' },
      ],
      examples: ['qualinet export flow.json --playwright -o flow.spec.ts'],
      exitCodes: [exitCode.done, exitCode.notReady],
      load: async () => (await import('./commands/export.ts')).exportFlow,
    },
    {
      name: 'doctor',
      usage: '',
      summary: 'Look at everything a runner needs here, and say what to type where something is wrong',
      group: 'Debug',
      options: [
        {
          flags: '--api <url>',
          summary: 'The bridge to look at (default: the one of the pairing, then API_BASE_URL)',
        },
        { flags: '--deep', summary: 'Also measure how long silent connections live; takes up to 70 s' },
        { flags: '--only <check>', summary: 'Only this check and what it needs', repeatable: true },
        ...engineOptions,
        json,
      ],
      examples: [
        'qualinet doctor',
        'qualinet doctor --api https://api.example.com',
        'qualinet doctor --only tls',
      ],
      exitCodes: [exitCode.done, exitCode.checkFailed, exitCode.interrupted, exitCode.terminated],
      load: async () => (await import('./commands/doctor.ts')).doctor,
    },
    {
      name: 'status',
      usage: '',
      summary: 'Is this machine paired, does its runner run, and what does it still owe?',
      group: 'Operate',
      options: [
        {
          flags: '--offline',
          summary: 'Ask the runner of this machine only, and no server (for health checks)',
        },
        ...wayOptions,
        json,
      ],
      examples: ['qualinet status', 'qualinet status --offline'],
      exitCodes: [exitCode.done, exitCode.unavailable, exitCode.credentialsRefused, exitCode.notReady],
      load: async () => (await import('./commands/status.ts')).status,
    },
    {
      name: 'service',
      usage: '<action>',
      actions: ['install', 'uninstall', 'status', 'print'],
      summary: 'Run it as a service of systemd: install, uninstall, status, or print what would be installed',
      group: 'Operate',
      options: [
        { flags: '--user', summary: 'A service of this user, not of the system' },
        {
          flags: '--name <name>',
          summary: 'Name of the service, its user and its folder (default: qualinet)',
        },
        {
          flags: '--with-proxies',
          summary: "Install: write this shell's proxies into the service's environment file",
        },
        {
          flags: '--take-pairing',
          summary: 'Install: move the pairing of this user to the service without asking',
        },
        { flags: '--purge', summary: 'Uninstall: delete credentials, what is owed, and the user, too' },
        { flags: '--compose', summary: 'Print: a compose file for containers instead of a unit' },
        ...serviceOptions,
        json,
      ],
      examples: [
        'sudo qualinet service install --concurrency 2',
        'qualinet service install --user',
        'qualinet service status',
        'qualinet service print --compose > compose.yaml',
      ],
      exitCodes: [
        exitCode.done,
        exitCode.unavailable,
        exitCode.temporary,
        exitCode.credentialsRefused,
        exitCode.notReady,
      ],
      load: async () => (await import('./commands/service.ts')).service,
    },
    {
      name: 'unpair',
      usage: '',
      summary: 'Revoke the credentials of this machine and delete them',
      group: 'Operate',
      options: [
        { flags: '--force', summary: 'Delete them here even when the bridge cannot be told' },
        ...wayOptions,
        json,
      ],
      examples: ['qualinet unpair'],
      exitCodes: [exitCode.done, exitCode.unavailable, exitCode.notReady],
      load: async () => (await import('./commands/unpair.ts')).unpair,
    },
    {
      name: 'install-browser',
      usage: '',
      summary: 'Get a headless shell unless one is there; says what was chosen and why',
      group: 'Operate',
      options: [{ flags: '--if-missing', summary: 'Be content with any Chromium that is there' }, json],
      examples: ['qualinet install-browser', 'qualinet install-browser --if-missing'],
      exitCodes: [exitCode.done, exitCode.notReady, exitCode.interrupted, exitCode.terminated],
      load: async () => (await import('./commands/install-browser.ts')).installBrowser,
    },
    completionEntry('qualinet'),
  ],
  topics: [
    {
      name: 'environment',
      summary: 'Every variable that is read, and the option that stands over it',
      load: async () => (await import('./environment-topic.ts')).environmentTopic(),
    },
    exitCodesTopic(() => qualinet.commands),
  ],
};
