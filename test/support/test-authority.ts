import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findServerPrograms } from './server-programs.ts';

const execute = promisify(execFile);

/** A certificate authority of a company, whose certificates nobody trusts by itself. */
export interface TestAuthority {
  /** Its own certificate and its key, as files. */
  readonly certificateFile: string;
  readonly keyFile: string;
  /** Key and certificate of a server on `localhost` and the loopback addresses, in PEM. */
  readonly server: { key: string; cert: string };
  /** A certificate that names itself, for the same server. */
  readonly selfSigned: { key: string; cert: string; certificateFile: string };
  /** One that was over years ago. */
  readonly expiredFile: string;
  remove(): Promise<void>;
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
const names = 'subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1';

/** Makes one with openssl, in a folder that `remove` deletes. */
export async function makeAuthority(name = 'Corp Test CA'): Promise<TestAuthority> {
  const folder = await mkdtemp(join(tmpdir(), 'qualinet-test-ca-'));
  const file = (path: string): string => join(folder, path);
  const openssl = (...args: string[]) => execute(findServerPrograms().openssl, args, { cwd: folder });
  const authority = ['-subj', `/CN=${name}`, '-addext', 'basicConstraints=critical,CA:TRUE'];
  await openssl(
    'req',
    '-x509',
    ...newKey,
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-days',
    '30',
    ...authority,
  );
  await openssl('req', ...newKey, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=localhost');
  await writeFile(file('server.ext'), `${names}\nextendedKeyUsage=serverAuth\n`);
  const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'];
  await openssl(
    ...['x509', '-req', '-in', 'server.csr', ...signed, '-days', '20'],
    ...['-extfile', 'server.ext', '-out', 'server.pem'],
  );
  await openssl(
    ...['req', '-x509', ...newKey, '-keyout', 'self.key', '-out', 'self.pem', '-days', '20'],
    ...['-subj', '/CN=localhost', '-addext', 'basicConstraints=CA:FALSE', '-addext', names],
  );
  // openssl req knows no dates before today; x509 takes a day before.
  await openssl('req', ...newKey, '-keyout', 'old.key', '-out', 'old.csr', '-subj', '/CN=Old CA');
  await openssl('x509', '-req', '-in', 'old.csr', '-signkey', 'old.key', '-days', '-1', '-out', 'old.pem');
  const text = (path: string) => readFile(file(path), 'utf8');
  return {
    certificateFile: file('ca.pem'),
    keyFile: file('ca.key'),
    server: { key: await text('server.key'), cert: await text('server.pem') },
    selfSigned: {
      key: await text('self.key'),
      cert: await text('self.pem'),
      certificateFile: file('self.pem'),
    },
    expiredFile: file('old.pem'),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
