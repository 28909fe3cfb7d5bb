import { constants } from 'node:fs';
import { chmod, chown, cp, lstat, mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { agentHome } from '../../agent/config/agent-config.ts';
import { credentialsPath } from '../../agent/credentials/credentials.ts';
import { spoolRoot } from '../../agent/spool/spool-layout.ts';
import type { CommandContext } from '../../command-line/command.ts';
import { EnvironmentError, errorText } from '../../lib/errors.ts';
import { lockHolder } from '../../lib/folder-lock.ts';
import { replaceFile } from '../../lib/replace-file.ts';
import { findUser, type ServiceMachine, type SystemUser } from './service-machine.ts';

/** A pairing that the person at the keyboard has, in a home of theirs. */
export interface OwnPairing {
  home: string;
  /** What operators call it. */
  name: string;
}

/** The pairing of whoever called: in the home of this process, or of the user behind sudo. Null when there is none. */
export async function findOwnPairing(
  { env }: Pick<CommandContext, 'env'>,
  machine: ServiceMachine,
): Promise<OwnPairing | null> {
  const caller = env['SUDO_USER'] ? await findUser(machine, env['SUDO_USER']) : null;
  const homes = [agentHome(env), ...(caller === null ? [] : [join(caller.home, '.qualinet')])];
  for (const home of homes) {
    const text = await readPlainFile(credentialsPath(home));
    if (text !== null) return { home, name: nameIn(text) };
  }
  return null;
}

/** True when this home has credentials. */
export async function isPaired(home: string): Promise<boolean> {
  return (await lstat(credentialsPath(home)).catch(() => null)) !== null;
}

/**
 * Moves credentials, and what is still owed under them, to the home of a service. There must be one runner under them: a running one is
 * refused. Throws EnvironmentError.
 */
export async function takePairing(
  { home }: OwnPairing,
  to: { home: string; user: SystemUser },
  { run }: ServiceMachine,
): Promise<void> {
  const holder = await lockHolder(home);
  if (holder !== null) {
    throw new EnvironmentError(`a runner is at work in ${home} (process ${holder})`, {
      hint: `End it first: kill ${holder}`,
    });
  }
  const credentials = await readPlainFile(credentialsPath(home));
  if (credentials === null) throw new EnvironmentError(`${credentialsPath(home)} cannot be read`);
  await mkdir(to.home, { recursive: true, mode: 0o700 });
  try {
    await cp(spoolRoot(home), spoolRoot(to.home), { recursive: true, verbatimSymlinks: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw cannotMove(home, error);
  }
  await replaceFile(credentialsPath(to.home), credentials, { isDurable: true });
  const { code, stderr } = await run('chown', [
    '--recursive',
    '--no-dereference',
    `${to.user.uid}:${to.user.gid}`,
    to.home,
  ]);
  if (code !== 0) throw cannotMove(home, stderr);
  // Only now: a pairing that is half moved must not be lost.
  await rm(credentialsPath(home), { force: true });
  await rm(spoolRoot(home), { recursive: true, force: true });
}

/** Makes the home of a service, which is its user's alone. */
export async function makeHome(home: string, { uid, gid }: SystemUser): Promise<void> {
  await mkdir(home, { recursive: true });
  await chmod(home, 0o700);
  await chown(home, uid, gid);
}

/** Root reads here what belongs to somebody else: a link would lead it to any file of the system. */
async function readPlainFile(path: string): Promise<string | null> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch(() => null);
  if (file === null) return null;
  try {
    return (await file.stat()).isFile() ? await file.readFile('utf8') : null;
  } finally {
    await file.close();
  }
}

function nameIn(text: string): string {
  try {
    const { name } = JSON.parse(text) as { name?: unknown };
    return typeof name === 'string' ? name : '';
  } catch {
    return '';
  }
}

function cannotMove(home: string, cause: unknown): EnvironmentError {
  return new EnvironmentError(`the pairing in ${home} cannot be moved: ${errorText(cause)}`, { cause });
}
