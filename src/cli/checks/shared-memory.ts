import { byteText } from '../../lib/bytes.ts';
import { type Check, ok, skipped, warning } from './check.ts';

/** Docker gives 64 MiB unless it is asked for more. */
const enoughBytes = 256 * 1024 ** 2;

export const sharedMemory: Check = {
  name: 'shm',
  title: 'Shared memory',
  needs: [],
  fix: 'docker run --shm-size=1g, or --ipc=host',
  async run({ machine }) {
    if (machine.platform !== 'linux') return skipped('cannot be known: this system has no /dev/shm');
    const room = await machine.room('/dev/shm');
    if (room === null) return skipped('cannot be known: there is no /dev/shm');
    const text = `/dev/shm has ${byteText(room.totalBytes)}`;
    return room.totalBytes >= enoughBytes
      ? ok(text)
      : warning(
          `${text}, too little for Chromium, which then writes its shared memory to the disk of its temporary folder`,
          sharedMemory.fix,
        );
  },
};
