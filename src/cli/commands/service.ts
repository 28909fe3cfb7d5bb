import * as z from 'zod';
import { readAgentConfig } from '../../agent/config/agent-config.ts';
import { drainVariable } from '../../agent/config/service-environment.ts';
import { readStatusFile } from '../../agent/status-file.ts';
import { type CommandContext, defineCommand } from '../../command-line/command.ts';
import { EnvironmentError, UsageError } from '../../lib/errors.ts';
import { exitCode } from '../../lib/exit-code.ts';
import { printable } from '../../lib/printable.ts';
import { version } from '../../lib/version.ts';
import { lifeFlags, serviceFlags } from '../engine-flags.ts';
import { serviceOptions } from '../engine-options.ts';
import { commandOf, installService, shellWord, startCommand } from '../systemd/install-service.ts';
import { runnerCompose } from '../systemd/runner-compose.ts';
import { type ServiceMachine, thisMachine } from '../systemd/service-machine.ts';
import { planService, refuseObstacles, type ServiceRequest, servicePaths } from '../systemd/service-plan.ts';
import { exitCodeOf, readServiceState, serviceLines } from '../systemd/service-state.ts';
import { startArguments } from '../systemd/start-arguments.ts';
import { requireSystemd, systemctlOf } from '../systemd/systemctl.ts';
import { uninstallService } from '../systemd/uninstall-service.ts';
import { readLine } from './pair.ts';

const actions = ['install', 'uninstall', 'status', 'print'] as const;

const options = z.object({
  args: z.tuple([z.enum(actions, `must be one of ${actions.join(', ')}`)]),
  user: z.boolean().default(false),
  // It is also the name of a user and of a folder.
  name: z
    .string()
    .regex(/^[a-z_][a-z0-9_-]{0,30}$/, 'must be lower-case letters, digits, - and _, at most 31')
    .refine((name) => name !== 'root', 'must not be root')
    .default('qualinet'),
  compose: z.boolean().default(false),
  withProxies: z.boolean().default(false),
  takePairing: z.boolean().default(false),
  purge: z.boolean().default(false),
  json: z.boolean().default(false),
  ...lifeFlags,
  ...serviceFlags,
});

type Options = z.output<typeof options>;

/** `qualinet service`: a runner that systemd starts with the machine and starts again when it ends. */
export const service = defineCommand({
  options,
  run: (given, context) => runServiceCommand(given, context, thisMachine(context)),
});

/** The command on a machine of the caller's choice. */
export async function runServiceCommand(
  given: Options,
  context: CommandContext,
  machine: ServiceMachine,
): Promise<number> {
  refuseMisplaced(given);
  const request: ServiceRequest = { name: given.name, user: given.user, values: given };
  switch (given.args[0]) {
    case 'install':
      return install(given, request, context, machine);
    case 'uninstall':
      return uninstall(given, request, context, machine);
    case 'status':
      return status(given, request, context, machine);
    case 'print':
      return given.compose ? printCompose(given, context) : print(given, request, context, machine);
  }
}

async function install(
  { withProxies, takePairing, json }: Options,
  request: ServiceRequest,
  context: CommandContext,
  machine: ServiceMachine,
): Promise<number> {
  const { env, stdin, stdout, stderr } = context;
  await requireSystemd(machine);
  refuseWrongUser('install', request, context, machine);
  const plan = await planService(request, context, machine);
  refuseObstacles(plan);
  const say = (line: string): void => void stderr.write(`${printable(line)}\n`);
  const installed = await installService(
    plan,
    {
      withProxies,
      async agreesToMove({ home, name }) {
        if (takePairing) return true;
        if (stdin.isTTY !== true || !stderr.isTTY) {
          say(`note: ${home} is paired as "${name}"; --take-pairing moves that to the service`);
          return false;
        }
        stderr.write(
          printable(`${home} is paired as "${name}". Shall the service be that runner, from now on? [Y/n] `),
        );
        return !/^n/i.test(await readLine(stdin, new AbortController().signal));
      },
    },
    { env, machine, say },
  );
  const call = commandOf(plan);
  if (!installed.isPaired) {
    say('It is not paired yet, and not started. Get a code from the operators of your bridge, then:');
    say(`  ${call} pair CODE --api https://…`);
    say(`  ${startCommand(plan)}`);
  } else {
    say(`Look at it with: qualinet service status${request.user ? ' --user' : ''}`);
    say(`Any other command for its runner: ${call} status`);
  }
  if (json) {
    const { unit, unitPath } = plan;
    const { isPaired, isActive, done } = installed;
    stdout.write(
      `${JSON.stringify({ installed: true, name: unit.name, unitPath, home: unit.home, environmentFile: unit.environmentFile, isPaired, isActive, done })}\n`,
    );
  }
  return exitCode.done;
}

async function uninstall(
  { purge, json }: Options,
  request: ServiceRequest,
  context: CommandContext,
  machine: ServiceMachine,
): Promise<number> {
  const { env, stdout, stderr } = context;
  await requireSystemd(machine);
  refuseWrongUser('uninstall', request, context, machine);
  const say = (line: string): void => void stderr.write(`${printable(line)}\n`);
  const done = await uninstallService(request, servicePaths(request, env), { purge, machine, say });
  for (const path of done.kept) say(`kept ${path}`);
  if (done.kept.length > 0) say('--purge removes that, too, credentials included.');
  if (json) stdout.write(`${JSON.stringify({ uninstalled: true, ...done })}\n`);
  return exitCode.done;
}

async function status(
  { json }: Options,
  request: ServiceRequest,
  { env, stdout }: CommandContext,
  machine: ServiceMachine,
): Promise<number> {
  await requireSystemd(machine);
  const { name, user } = request;
  const state = await readServiceState(systemctlOf(machine, user), name);
  const { home } = servicePaths(request, env);
  // Others than root and the service itself may not look into its home; that is no fault.
  const agent = await readStatusFile(user ? home : `${machine.root}${home}`);
  const code = exitCodeOf(state);
  if (json) {
    stdout.write(`${JSON.stringify({ name, home, ...state, agent })}\n`);
    return code;
  }
  const runner =
    agent === null
      ? []
      : [
          `runner:   ${agent.state}, ${agent.runs.length} under way, ${agent.runsEnded} ended, ${agent.runsOwed} owed`,
        ];
  const lines = state.isInstalled
    ? [
        ...serviceLines(name, state),
        ...(state.activeState === 'active' ? runner : []),
        `log:      journalctl ${user ? '--user-unit' : '--unit'} ${name}`,
      ]
    : [`service:  ${name} is not installed (qualinet service install${user ? ' --user' : ''})`];
  stdout.write(lines.map((line) => `${printable(line)}\n`).join(''));
  return code;
}

async function print(
  { json }: Options,
  request: ServiceRequest,
  context: CommandContext,
  machine: ServiceMachine,
): Promise<number> {
  const { stdout, stderr } = context;
  const { text, unitPath, obstacles, unit } = await planService(request, context, machine);
  for (const obstacle of obstacles) stderr.write(`warning: ${printable(obstacle)}\n`);
  const { environmentFile, home } = unit;
  stdout.write(
    json ? `${JSON.stringify({ unitPath, environmentFile, home, unit: text, obstacles })}\n` : text,
  );
  return exitCode.done;
}

function printCompose(given: Options, { env, cwd, stdout }: CommandContext): number {
  const { drainMs } = readAgentConfig(drainVariable(env), given);
  const files = serviceOptions.filter(({ flags }) => / <(file|path|folder)>$/.test(flags));
  const secrets = (given as Readonly<Record<string, unknown>>)['secrets'];
  const inside = [
    '--browser',
    '--secrets',
    '--health-listen',
    ...files.map(({ flags }) => flags.split(' ')[0] ?? ''),
  ];
  const compose = runnerCompose({
    version,
    name: given.name,
    startArguments: startArguments(serviceOptions, given, { cwd, except: inside }).arguments,
    // The image has a browser of its own.
    files: startArguments(files, given, { cwd, except: ['--browser', '--secrets'] }).paths,
    secrets: typeof secrets === 'string' ? secrets : null,
    drainMs,
  });
  stdout.write(given.json ? `${JSON.stringify({ compose })}\n` : compose);
  return exitCode.done;
}

/** A service of the system is root's to install, one of a user that user's. */
function refuseWrongUser(
  action: string,
  { name, user }: ServiceRequest,
  { env }: CommandContext,
  { uid, node, program }: ServiceMachine,
): void {
  if (user && uid === 0) {
    throw new EnvironmentError('a service of root would run flows as root', {
      hint: `Run it as the user whose service it is to be${env['SUDO_USER'] ? ` (${env['SUDO_USER']}), without sudo` : ''}; or, with a user of its own: qualinet service ${action}`,
    });
  }
  if (user || uid === 0) return;
  const more = name === 'qualinet' ? '' : ` --name ${name}`;
  throw new EnvironmentError(`only root may ${action} a service of the system`, {
    hint: `Run: sudo ${shellWord(node)} ${shellWord(program)} service ${action}${more} (with your other options), or for your user alone: qualinet service ${action} --user${more}`,
  });
}

/** An option that does nothing where it stands is a mistake of whoever typed it. */
function refuseMisplaced(given: Options): void {
  const [action] = given.args;
  const belongs: Readonly<Record<string, [isGiven: boolean, to: readonly string[]]>> = {
    '--compose': [given.compose, ['print']],
    '--with-proxies': [given.withProxies, ['install']],
    '--take-pairing': [given.takePairing, ['install']],
    '--purge': [given.purge, ['uninstall']],
  };
  const problems = Object.entries(belongs).flatMap(([flag, [isGiven, to]]) =>
    isGiven && !to.includes(action) ? [`${flag} belongs to service ${to.join(' and ')}`] : [],
  );
  const passed = startArguments(serviceOptions, given, { cwd: '/' }).arguments.filter((text) =>
    text.startsWith('--'),
  );
  if (passed.length > 0 && action !== 'install' && action !== 'print') {
    problems.push(
      `${[...new Set(passed)].join(', ')}: what the runner is started with is said to service install`,
    );
  }
  if (problems.length > 0) throw new UsageError(`service ${action}: the command line is wrong`, { problems });
}
