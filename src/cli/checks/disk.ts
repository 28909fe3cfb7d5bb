import { dirname } from 'node:path';
import { byteText } from '../../lib/bytes.ts';
import { type Check, failed, ok, skipped, warning } from './check.ts';

/** Less than this holds hardly the result of a run and a picture. Source: the least that QUALINET_SPOOL_MIB may be. */
const leastBytes = 16 * 1024 ** 2;

export const disk: Check = {
  name: 'disk',
  title: 'Disk space',
  needs: ['home'],
  fix: 'Free space there, or choose another folder with QUALINET_HOME=/path',
  async run({ config, machine }) {
    let folder = config.home;
    let room = await machine.room(folder);
    while (room === null && folder !== dirname(folder)) {
      folder = dirname(folder);
      room = await machine.room(folder);
    }
    if (room === null) return skipped('cannot be known: the system does not tell');
    const wanted = byteText(config.spoolBytes);
    const text = `${byteText(room.freeBytes)} free for ${config.home}`;
    if (room.freeBytes < leastBytes) return failed(`only ${text}`, disk.fix);
    if (room.freeBytes < config.spoolBytes) {
      const mib = Math.max(16, Math.floor(room.freeBytes / 2 / 1024 ** 2));
      return warning(
        `${text}, less than the ${wanted} that a runner keeps while the bridge is away`,
        `Free space there, or set QUALINET_SPOOL_MIB=${mib}`,
      );
    }
    return ok(`${text}; at most ${wanted} are kept while the bridge is away`);
  },
};
