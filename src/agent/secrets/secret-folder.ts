import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { EnvironmentError, errorText, systemErrorCode } from '../../lib/errors.ts';

/** A secret, or a whole file of them, that systemd, Docker or Kubernetes has put into a folder. */
export interface FolderSecret {
  path: string;
  /** Null for a whole secrets file. */
  name: string | null;
  text: string;
}

const prefix = 'qualinet.var.';
const wholeFile = 'qualinet.secrets';

/** More than any secret or file of secrets has. */
const mostBytes = 1024 * 1024;

/** What of a folder of credentials is meant for flows; nothing when there is no such folder. Throws EnvironmentError. */
export async function readSecretFolder(folder: string): Promise<FolderSecret[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(systemErrorCode(error) ?? '')) return [];
    throw cannotRead(folder, error);
  });
  const ours = names.filter((name) => name === wholeFile || name.startsWith(prefix)).sort();
  return Promise.all(
    ours.map(async (fileName) => {
      const path = join(folder, fileName);
      const text = await readMounted(path);
      // Whoever makes such a file with echo ends it with a line break that is no part of the secret.
      return fileName === wholeFile
        ? { path, name: null, text }
        : { path, name: fileName.slice(prefix.length), text: text.replace(/\r?\n$/, '') };
    }),
  );
}

/** The text of a file that another program mounts, whose mode and owner are that program's choice. */
export async function readMounted(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > mostBytes) throw new Error(`it has ${size} bytes; ${mostBytes} are read`);
    return await readFile(path, 'utf8');
  } catch (error) {
    throw cannotRead(path, error);
  }
}

function cannotRead(path: string, cause: unknown): EnvironmentError {
  return new EnvironmentError(`cannot read ${path}: ${errorText(cause)}`, { cause });
}
