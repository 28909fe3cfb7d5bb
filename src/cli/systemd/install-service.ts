import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { networkVariables, settingNames } from '../../agent/config/service-environment.ts';
import type { CommandContext } from '../../command-line/command.ts';
import { EnvironmentError, errorText } from '../../lib/errors.ts';
import { replaceFile } from '../../lib/replace-file.ts';
import { unitMark } from './runner-unit.ts';
import { findUser, type ServiceMachine, type SystemUser } from './service-machine.ts';
import type { ServicePlan } from './service-plan.ts';
import { systemctlOf } from './systemctl.ts';
import { findOwnPairing, isPaired, makeHome, type OwnPairing, takePairing } from './take-pairing.ts';
import { environmentFileLine } from './unit-value.ts';

export interface InstallOptions {
  /** Proxies and authorities of this shell go into the environment file. */
  withProxies: boolean;
  /** Whether the pairing of whoever called becomes the service's. */
  agreesToMove(pairing: OwnPairing): Promise<boolean>;
}

/** What was installed. */
export interface InstalledService {
  isPaired: boolean;
  /** Null where it waits for a pairing. */
  isActive: boolean | null;
  /** Everything that was done, one line each. */
  done: string[];
}

/**
 * Installs a service and starts it: user, home, pairing, environment file, unit. Doing it again changes what is different and starts it
 * anew. Without a pairing it is not started. Throws EnvironmentError when a step fails, with the unit's last log lines when it does not start.
 */
export async function installService(
  plan: ServicePlan,
  options: InstallOptions,
  { env, machine, say }: { env: CommandContext['env']; machine: ServiceMachine; say(line: string): void },
): Promise<InstalledService> {
  const { unit, unitPath, text } = plan;
  const systemctl = systemctlOf(machine, unit.isUserUnit);
  const on = (path: string): string => join('/', machine.root, path);
  const done: string[] = [];
  const tell = (line: string): void => {
    done.push(line);
    say(line);
  };
  await refuseForeignUnit(on(unitPath));
  if (unit.isUserUnit) await linger();
  else await provideHome(await provideUser());
  await writeEnvironmentFile();
  await mkdir(dirname(on(unitPath)), { recursive: true });
  await writeFile(on(unitPath), text);
  tell(`wrote ${unitPath}`);
  await systemctl.must('daemon-reload');
  await systemctl.must('enable', `${unit.name}.service`);
  tell(`${unit.name}.service starts with the machine`);
  if (!(await isPaired(homeOnDisk()))) return { isPaired: false, isActive: null, done };
  await startNow();
  return { isPaired: true, isActive: true, done };

  function homeOnDisk(): string {
    // The home of a user is where the user says it is.
    return unit.isUserUnit ? unit.home : on(unit.home);
  }

  async function provideUser(): Promise<SystemUser> {
    const { name } = unit;
    const existing = await findUser(machine, name);
    if (existing !== null) return existing;
    const { code, stderr } = await machine.run('useradd', [
      '--system',
      '--user-group',
      '--no-create-home',
      ...['--home-dir', unit.home],
      ...['--shell', '/usr/sbin/nologin'],
      ...['--comment', 'qualinet runner'],
      name,
    ]);
    const made = await findUser(machine, name);
    if (made === null) throw new EnvironmentError(`useradd made no user ${name} (${code}): ${stderr.trim()}`);
    tell(`made the system user ${name}`);
    return made;
  }

  async function provideHome(user: SystemUser): Promise<void> {
    const home = homeOnDisk();
    await makeHome(home, user);
    if (await isPaired(home)) return;
    const own = await findOwnPairing({ env }, machine);
    if (own === null || !(await options.agreesToMove(own))) return;
    await takePairing(own, { home, user }, machine);
    tell(`moved the pairing "${own.name}" from ${own.home} to ${unit.home}`);
  }

  async function linger(): Promise<void> {
    const user = String(machine.uid);
    const shown = await machine.run('loginctl', ['show-user', user, '--property=Linger', '--value']);
    // Root may have done it, where this user may not.
    if (shown.stdout.trim() === 'yes') return;
    const { code, stderr } = await machine.run('loginctl', ['enable-linger']);
    if (code === 0) tell('services of this user run without a login, too (loginctl enable-linger)');
    else {
      say(
        `warning: the service ends when you log out: loginctl enable-linger failed (${stderr.trim()}). Run: sudo loginctl enable-linger "$USER"`,
      );
    }
  }

  /** What an administrator wrote into it stays, unless this very call says how the network is reached. */
  async function writeEnvironmentFile(): Promise<void> {
    const found = networkVariables(env);
    const names = Object.keys(found);
    const others = settingNames(env);
    if (others.length > 0) {
      say(
        `note: ${others.join(', ')} of this shell ${others.length === 1 ? 'is' : 'are'} not passed on; give the option instead, or write it into ${unit.environmentFile}`,
      );
    }
    if (names.length === 0) return;
    if (!options.withProxies) {
      say(
        `note: ${names.join(', ')} of this shell ${names.length === 1 ? 'is' : 'are'} not passed on; --with-proxies writes ${names.length === 1 ? 'it' : 'them'} into ${unit.environmentFile}`,
      );
      return;
    }
    const path = on(unit.environmentFile);
    const kept = (await readFile(path, 'utf8').catch(() => ''))
      .split('\n')
      .filter((line) => line.trim() !== '' && !names.includes(line.split('=')[0]?.trim() ?? ''));
    await mkdir(dirname(path), { recursive: true });
    const lines = names.map((name) => environmentFileLine(name, found[name] ?? ''));
    // A proxy's address may hold a password: systemd reads it as root, nobody else needs to.
    await replaceFile(path, `${kept.map((line) => `${line}\n`).join('')}${lines.join('')}`);
    tell(`wrote ${names.join(', ')} into ${unit.environmentFile}`);
  }

  async function startNow(): Promise<void> {
    say(`starting ${unit.name}.service; a runner that is at work in it finishes its runs first`);
    const name = `${unit.name}.service`;
    await systemctl.try('reset-failed', name);
    const { code, stderr } = await systemctl.try('restart', name);
    const isActive = code === 0 && (await systemctl.try('is-active', '--quiet', name)).code === 0;
    if (isActive) return tell(`${name} is active`);
    throw new EnvironmentError(
      `${name} is installed and does not start: ${stderr.trim() || 'it is not active'}`,
      {
        problems: await systemctl.journal(name),
        hint: `After the cause is gone: ${startCommand(plan)}`,
      },
    );
  }
}

/** How a service is started by hand. */
export function startCommand({ unit: { name, isUserUnit } }: Pick<ServicePlan, 'unit'>): string {
  return isUserUnit ? `systemctl --user start ${name}` : `sudo systemctl start ${name}`;
}

/** How `qualinet` is called for the runner of a service. */
export function commandOf({ unit }: Pick<ServicePlan, 'unit'>): string {
  const call = `${shellWord(unit.node)} ${shellWord(unit.program)}`;
  return unit.isUserUnit
    ? `QUALINET_HOME=${shellWord(unit.home)} ${call}`
    : `sudo -u ${unit.name} env QUALINET_HOME=${shellWord(unit.home)} ${call}`;
}

/** A word of a command line that somebody may paste. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_./:=@,+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Throws EnvironmentError for a unit of this name that somebody else wrote. */
export async function refuseForeignUnit(path: string): Promise<void> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw new EnvironmentError(`cannot read ${path}: ${errorText(error)}`, { cause: error });
  });
  if (text === null || text.startsWith(unitMark)) return;
  throw new EnvironmentError(`${path} was not written by qualinet`, {
    hint: 'Choose another name with --name, or remove that file.',
  });
}
