import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommandContext } from '../../command-line/command.ts';

/** How a program of the system ended. */
export interface ProgramEnd {
  /** Null when it is not there or was killed. */
  code: number | null;
  stdout: string;
  stderr: string;
}

/** What a service is installed on. */
export interface ServiceMachine {
  readonly platform: NodeJS.Platform;
  readonly uid: number;
  /** Absolute path of this Node.js. */
  readonly node: string;
  /** Absolute path of this program. */
  readonly program: string;
  /** Stands in front of every path of the system that is read or written; empty but for tests. */
  readonly root: string;
  /** Runs a program of the system to its end. */
  run(command: string, args: readonly string[]): Promise<ProgramEnd>;
}

/** A user of the system. */
export interface SystemUser {
  name: string;
  uid: number;
  gid: number;
  home: string;
}

/** Starting a service waits for its browser, stopping it for its runs: up to a day, if it was told so. */
const programMs = 25 * 60 * 60_000;

/** This machine. */
export function thisMachine({ env }: Pick<CommandContext, 'env'>): ServiceMachine {
  const uid = process.getuid?.() ?? -1;
  return {
    platform: process.platform,
    uid,
    node: process.execPath,
    program: process.argv[1] ?? '',
    root: '',
    run: runWith({ ...env, XDG_RUNTIME_DIR: env['XDG_RUNTIME_DIR'] || `/run/user/${uid}` }),
  };
}

/** Runs programs with this environment; their messages in English and without a pager. */
export function runWith(env: CommandContext['env']): ServiceMachine['run'] {
  return (command, args) =>
    new Promise((resolve) => {
      execFile(
        command,
        [...args],
        { env: { ...env, LC_ALL: 'C.UTF-8', SYSTEMD_PAGER: '', SYSTEMD_COLORS: '0' }, timeout: programMs },
        (error, stdout, stderr) => {
          const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
          resolve({ code, stdout, stderr: stderr || (error?.message ?? '') });
        },
      );
    });
}

/** True where systemd runs the machine. Source: sd_booted(3). */
export async function isSystemdRunning({ root }: ServiceMachine): Promise<boolean> {
  return access(join('/', root, '/run/systemd/system')).then(
    () => true,
    () => false,
  );
}

/** Version of systemd, null where it is not there. */
export async function systemdVersion({ run }: ServiceMachine): Promise<number | null> {
  const { code, stdout } = await run('systemctl', ['--version']);
  const version = /^systemd (\d+)/.exec(stdout)?.[1];
  return code === 0 && version !== undefined ? Number(version) : null;
}

/** A user by name, null when there is none. */
export async function findUser({ run }: ServiceMachine, name: string): Promise<SystemUser | null> {
  const { code, stdout } = await run('getent', ['passwd', name]);
  const [found, , uid, gid, , home] = stdout.trim().split(':');
  if (code !== 0 || found !== name || home === undefined) return null;
  return { name, uid: Number(uid), gid: Number(gid), home };
}
