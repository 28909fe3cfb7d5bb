import { lstat, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { credentialsPath } from '../../agent/credentials/credentials.ts';
import { countOwed } from '../../agent/spool/count-owed.ts';
import { EnvironmentError } from '../../lib/errors.ts';
import { refuseForeignUnit } from './install-service.ts';
import { findUser, type ServiceMachine } from './service-machine.ts';
import type { ServiceRequest, servicePaths } from './service-plan.ts';
import { systemctlOf } from './systemctl.ts';

/** What is left of a service, and what is not. */
export interface UninstalledService {
  removed: string[];
  kept: string[];
}

/**
 * Stops a service, which finishes its runs, and removes its unit. Home and environment file stay unless `purge`: in there are the
 * credentials and what is still owed. Throws EnvironmentError when there is no such service.
 */
export async function uninstallService(
  { name, user }: Pick<ServiceRequest, 'name' | 'user'>,
  paths: ReturnType<typeof servicePaths>,
  { purge, machine, say }: { purge: boolean; machine: ServiceMachine; say(line: string): void },
): Promise<UninstalledService> {
  const systemctl = systemctlOf(machine, user);
  const on = (path: string): string => join('/', machine.root, path);
  const home = user ? paths.home : on(paths.home);
  const result: UninstalledService = { removed: [], kept: [] };
  await refuseForeignUnit(on(paths.unitPath));
  const isThere = await exists(on(paths.unitPath));
  if (!isThere && !purge) {
    throw new EnvironmentError(`there is no service ${name} (${paths.unitPath} is not there)`, {
      hint: user
        ? 'One of the system: sudo qualinet service uninstall'
        : 'One of a user: qualinet service uninstall --user',
    });
  }
  if (isThere) {
    say(`stopping ${name}.service; what runs is finished first`);
    await systemctl.must('disable', '--now', `${name}.service`);
    await rm(on(paths.unitPath));
    await systemctl.must('daemon-reload');
    await systemctl.try('reset-failed', `${name}.service`);
    removed(paths.unitPath);
  }
  if (purge) await removeAll();
  else
    for (const path of [paths.home, paths.environmentFile])
      if (await exists(path === paths.home ? home : on(path))) result.kept.push(path);
  return result;

  function removed(what: string): void {
    result.removed.push(what);
    say(`removed ${what}`);
  }

  async function removeAll(): Promise<void> {
    const owed = await countOwed(home);
    if (owed > 0)
      say(
        `warning: ${owed === 1 ? '1 run was' : `${owed} runs were`} not delivered yet; the bridge will never hear of it`,
      );
    const runnerId = await runnerIdIn(home);
    if (runnerId !== null) {
      say(
        `the bridge still knows runner ${runnerId}: its operators end it with: qualinet-bridge revoke ${runnerId}`,
      );
    }
    if (await exists(home)) {
      await rm(home, { recursive: true, force: true });
      removed(paths.home);
    }
    if (await exists(on(paths.environmentFile))) {
      await rm(on(paths.environmentFile));
      removed(paths.environmentFile);
    }
    if (user || (await findUser(machine, name)) === null) return;
    const { code, stderr } = await machine.run('userdel', [name]);
    if (code === 0) removed(`user ${name}`);
    else say(`warning: userdel ${name} failed: ${stderr.trim()}`);
  }
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => null)) !== null;
}

async function runnerIdIn(home: string): Promise<string | null> {
  try {
    const { runnerId } = JSON.parse(await readFile(credentialsPath(home), 'utf8')) as { runnerId?: unknown };
    return typeof runnerId === 'string' ? runnerId : null;
  } catch {
    return null;
  }
}
