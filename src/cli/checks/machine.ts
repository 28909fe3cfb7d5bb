import { statfs } from 'node:fs/promises';
import { availableParallelism, freemem, homedir, totalmem, userInfo } from 'node:os';
import { type ReadText, readText } from '../../agent/life/machine-reading.ts';

/** What checks ask the system; tests give another one. */
export interface Machine {
  platform: NodeJS.Platform;
  nodeVersion: string;
  /** Null where the system has no user ids. */
  uid: number | null;
  userName: string;
  userHome: string;
  processors: number;
  memory: { totalBytes: number; freeBytes: number };
  readText: ReadText;
  /** Room on the file system that holds `path`; null when it cannot be asked. */
  room(path: string): Promise<{ totalBytes: number; freeBytes: number } | null>;
}

/** This machine. */
export function thisMachine(): Machine {
  return {
    platform: process.platform,
    nodeVersion: process.versions.node,
    uid: process.getuid?.() ?? null,
    userName: nameOfUser(),
    userHome: homedir(),
    processors: availableParallelism(),
    memory: { totalBytes: totalmem(), freeBytes: freemem() },
    readText,
    async room(path) {
      try {
        const { bsize, blocks, bavail } = await statfs(path);
        return { totalBytes: bsize * blocks, freeBytes: bsize * bavail };
      } catch {
        return null;
      }
    },
  };
}

// In containers a user id often has no name.
function nameOfUser(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 'unknown');
  }
}
