import { realpath, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { agentHome, readAgentConfig } from '../../agent/config/agent-config.ts';
import { drainVariable, serviceEnvironment } from '../../agent/config/service-environment.ts';
import type { CommandContext } from '../../command-line/command.ts';
import { EnvironmentError, UsageError } from '../../lib/errors.ts';
import { serviceOptions } from '../engine-options.ts';
import { isInNpxCache, whyUnreadable } from './check-program.ts';
import { type RunnerUnit, runnerUnit } from './runner-unit.ts';
import { type ServiceMachine, systemdVersion } from './service-machine.ts';
import { type StartArguments, startArguments } from './start-arguments.ts';
import { isUnitText } from './unit-value.ts';

/** What a service is to be. */
export interface ServicePlan {
  unit: RunnerUnit;
  /** The unit as it is written. */
  text: string;
  unitPath: string;
  /** Reasons for which it would not run as it is, each with what to do instead. */
  obstacles: string[];
}

/** What the command line says about a service, and about the runner in it. */
export interface ServiceRequest {
  name: string;
  user: boolean;
  /** Options of `start` by camel-cased name. */
  values: Readonly<Record<string, unknown>>;
}

/** Where things of a service are. */
export function servicePaths(
  { name, user }: Pick<ServiceRequest, 'name' | 'user'>,
  env: CommandContext['env'],
): { unitPath: string; environmentFile: string; home: string } {
  if (!user) {
    return {
      unitPath: `/etc/systemd/system/${name}.service`,
      environmentFile: `/etc/qualinet/${name}.env`,
      home: `/var/lib/${name}`,
    };
  }
  const config = resolve(env['XDG_CONFIG_HOME'] || join(env['HOME'] ?? '/', '.config'));
  return {
    unitPath: join(config, `systemd/user/${name}.service`),
    environmentFile: join(config, `qualinet/${name}.env`),
    home: agentHome(env),
  };
}

/** Puts a service together. Throws UsageError when an option is wrong; what stands against running it is told as obstacles. */
export async function planService(
  request: ServiceRequest,
  { env, cwd }: Pick<CommandContext, 'env' | 'cwd'>,
  machine: ServiceMachine,
): Promise<ServicePlan> {
  const { name, user: isUserUnit, values } = request;
  const { drainMs } = readAgentConfig(drainVariable(env), values);
  const paths = servicePaths(request, env);
  // Of a user's own file the runner reads the path; one of the system gets a copy that only this service can read.
  const secrets = isUserUnit ? null : secretsFile(values, cwd);
  const given = startArguments(serviceOptions, values, {
    cwd,
    except: secrets === null ? [] : ['--secrets'],
  });
  const program = await realpath(machine.program).catch(() => machine.program);
  const unit: RunnerUnit = {
    name,
    isUserUnit,
    node: machine.node,
    program,
    startArguments: given.arguments,
    home: paths.home,
    environment: {
      ...serviceEnvironment({ home: paths.home, drainMs }),
      ...(isUserUnit ? {} : { HOME: paths.home }),
    },
    environmentFile: paths.environmentFile,
    credentials: secrets === null ? {} : { 'qualinet.secrets': secrets },
    drainMs,
    systemdVersion: await systemdVersion(machine),
  };
  refuseSpoiltTexts(unit);
  refusePasswords(unit);
  if (secrets !== null) await requireFile('--secrets', secrets);
  return {
    unit,
    text: runnerUnit(unit),
    unitPath: paths.unitPath,
    obstacles: await obstaclesTo(unit, given, machine),
  };
}

/** Throws EnvironmentError when there is an obstacle. */
export function refuseObstacles({ unit, obstacles }: ServicePlan): void {
  if (obstacles.length === 0) return;
  throw new EnvironmentError(`${unit.name}.service would not start`, {
    problems: obstacles,
    hint: unit.isUserUnit
      ? 'Install it for good: npm install --global @qualitas-id/qualinet'
      : 'Install Node.js and qualinet for everybody (sudo npm install --global @qualitas-id/qualinet), or make it a service of this user: qualinet service install --user',
  });
}

async function obstaclesTo(
  { isUserUnit, node, program }: RunnerUnit,
  { paths }: StartArguments,
  { root }: ServiceMachine,
): Promise<string[]> {
  if (isInNpxCache(program)) return [`${program} is in the cache of npx, which may be cleaned at any time`];
  if (isUserUnit) return [];
  const needed = [{ flag: null, path: node }, { flag: null, path: program }, ...paths];
  const found = await Promise.all(
    needed.map(async ({ flag, path }) => {
      const why = await whyUnreadable(path, root);
      if (why === null) return [];
      return flag === null
        ? [why]
        : [
            `${flag}: ${why}; put it where every user may read it, such as ${join('/etc/qualinet', path.split('/').at(-1) ?? '')}`,
          ];
    }),
  );
  return [...new Set(found.flat())];
}

function secretsFile(values: Readonly<Record<string, unknown>>, cwd: string): string | null {
  const { secrets } = values;
  return typeof secrets === 'string' ? resolve(cwd, secrets) : null;
}

async function requireFile(flag: string, path: string): Promise<void> {
  const entry = await stat(path).catch(() => null);
  if (entry === null || !entry.isFile()) throw new UsageError(`${flag}: there is no file ${path}`);
}

function refuseSpoiltTexts(unit: RunnerUnit): void {
  const texts = [
    unit.node,
    unit.program,
    unit.home,
    dirname(unit.environmentFile),
    ...unit.startArguments,
    ...Object.values(unit.credentials),
  ];
  // The paths of credentials stand bare at the end of their line, where a backslash would join the next one to it.
  const isSpoilt = (text: string): boolean => !isUnitText(text) || /[\\\s]$/.test(text);
  const problems = texts.filter(isSpoilt).map((text) => JSON.stringify(text));
  if (problems.length > 0)
    throw new UsageError('a unit cannot hold control characters, nor a backslash or a space at an end', {
      problems,
    });
}

function refusePasswords({ startArguments, environmentFile }: RunnerUnit): void {
  const at = startArguments.findIndex((text) => URL.canParse(text) && new URL(text).password !== '');
  if (at < 0) return;
  throw new UsageError(
    `${startArguments[at - 1]}: everybody on this machine can read a unit, and with it this password`,
    {
      hint: `Write the variable of this option into ${environmentFile} instead, which only root can read.`,
    },
  );
}
