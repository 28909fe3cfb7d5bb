import { access, constants, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { errorText, systemErrorCode } from '../../lib/errors.ts';
import { type Check, type Finding, failed, ok, warning } from './check.ts';
import type { Machine } from './machine.ts';

export const home: Check = {
  name: 'home',
  title: 'Home folder',
  needs: [],
  fix: 'Choose another folder with QUALINET_HOME=/path',
  async run({ config, machine }) {
    try {
      const entry = await stat(config.home);
      if (!entry.isDirectory()) return failed(`${config.home} is not a folder`, home.fix);
      await access(config.home, constants.R_OK | constants.W_OK | constants.X_OK);
      return judgeMode(config.home, entry, machine);
    } catch (error) {
      if (systemErrorCode(error) !== 'ENOENT') return cannotWrite(config.home, error, machine);
      return missing(config.home, machine);
    }
  },
};

function judgeMode(path: string, { mode, uid }: { mode: number; uid: number }, machine: Machine): Finding {
  if (machine.platform === 'win32') return ok(path);
  const text = `${path} (${(mode & 0o777).toString(8).padStart(4, '0')})`;
  if (machine.uid !== null && uid !== machine.uid)
    return warning(`${path} belongs to another user (uid ${uid})`, `chown -R ${machine.userName} ${path}`);
  if ((mode & 0o022) !== 0) return failed(`other users can write into ${text}`, `chmod 700 ${path}`);
  if ((mode & 0o077) !== 0) return warning(`other users can look into ${text}`, `chmod 700 ${path}`);
  return ok(text);
}

/** It is made by the first command that needs it, where that can be done. */
async function missing(path: string, machine: Machine): Promise<Finding> {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    try {
      await access(folder, constants.W_OK | constants.X_OK);
      return ok(`${path} is not there yet and can be made`);
    } catch (error) {
      const isGone = systemErrorCode(error) === 'ENOENT' && folder !== dirname(folder);
      if (!isGone) return cannotWrite(path, error, machine);
    }
  }
}

/** Never the owner of a folder that may be the system's, or somebody else's: only of one that is there and a runner's. */
function cannotWrite(path: string, error: unknown, { userName }: Machine): Finding {
  const isOfRunner = systemErrorCode(error) !== 'ENOTDIR' && basename(path).includes('qualinet');
  return failed(
    `${path} cannot be written by ${userName}: ${errorText(error)}`,
    isOfRunner
      ? `sudo chown -R ${userName} ${path}; or choose another folder with QUALINET_HOME=/path`
      : home.fix,
  );
}
