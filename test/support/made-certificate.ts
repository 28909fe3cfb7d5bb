import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findServerPrograms } from './server-programs.ts';
import type { TestAuthority } from './test-authority.ts';

const execute = promisify(execFile);

/** Key and certificate of a server, issued by `authority` for `names` (`DNS:a.example`), in PEM. `days` below 0 makes one that is over. */
export async function makeCertificate(
  { certificateFile, keyFile }: Pick<TestAuthority, 'certificateFile' | 'keyFile'>,
  { names, days }: { names: readonly string[]; days: number },
): Promise<{ key: string; cert: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'qualinet-test-cert-'));
  try {
    const openssl = (...args: string[]) => execute(findServerPrograms().openssl, args, { cwd: folder });
    await writeFile(join(folder, 'ext'), `subjectAltName=${names.join()}\n`);
    await openssl(
      ...['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'key'],
      ...['-out', 'csr', '-subj', '/CN=the bridge'],
    );
    await openssl(
      ...['x509', '-req', '-in', 'csr', '-CA', certificateFile, '-CAkey', keyFile, '-set_serial', '7'],
      ...['-days', String(days), '-extfile', 'ext', '-out', 'cert'],
    );
    return {
      key: await readFile(join(folder, 'key'), 'utf8'),
      cert: await readFile(join(folder, 'cert'), 'utf8'),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
