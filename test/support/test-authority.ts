import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findServerPrograms } from './server-programs.ts';

const execute = promisify(execFile);

/** A key and its certificate, in PEM. */
interface KeyAndCertificate {
  key: string;
  cert: string;
}

/** A certificate authority of a company, whose certificates nobody trusts by itself. */
export interface TestAuthority {
  /** Its own certificate and its key, as files. */
  readonly certificateFile: string;
  readonly keyFile: string;
  /** Issues a certificate for a server; for `localhost` and the loopback addresses, and good for 20 days, if nothing else is said. */
  issue(wanted?: { subject?: string; names?: readonly string[]; days?: number }): Promise<KeyAndCertificate>;
  /** One that it issued for `localhost`. */
  readonly server: KeyAndCertificate;
  /** A certificate that names itself, for the same server. */
  readonly selfSigned: KeyAndCertificate & { certificateFile: string };
  /** One that was over years ago. */
  readonly expiredFile: string;
  remove(): Promise<void>;
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
const loopbackNames = ['DNS:localhost', 'IP:127.0.0.1', 'IP:::1'];

/** Makes one with openssl, in a folder that `remove` deletes. */
export async function makeAuthority(name = 'Corp Test CA'): Promise<TestAuthority> {
  const folder = await mkdtemp(join(tmpdir(), 'qualinet-test-ca-'));
  const file = (path: string): string => join(folder, path);
  const openssl = (...args: string[]) => execute(findServerPrograms().openssl, args, { cwd: folder });
  const text = (path: string) => readFile(file(path), 'utf8');
  await openssl(
    ...['req', '-x509', ...newKey, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '30'],
    ...['-subj', `/CN=${name}`, '-addext', 'basicConstraints=critical,CA:TRUE'],
  );
  let serial = 0;
  const issue: TestAuthority['issue'] = async ({
    subject = 'localhost',
    names = loopbackNames,
    days = 20,
  } = {}) => {
    serial += 1;
    const own = (ending: string): string => `server-${serial}.${ending}`;
    await openssl('req', ...newKey, '-keyout', own('key'), '-out', own('csr'), '-subj', `/CN=${subject}`);
    await writeFile(file(own('ext')), `subjectAltName=${names.join()}\nextendedKeyUsage=serverAuth\n`);
    await openssl(
      ...['x509', '-req', '-in', own('csr'), '-CA', 'ca.pem', '-CAkey', 'ca.key'],
      ...['-set_serial', String(serial), '-days', String(days), '-extfile', own('ext'), '-out', own('pem')],
    );
    return { key: await text(own('key')), cert: await text(own('pem')) };
  };
  await openssl(
    ...['req', '-x509', ...newKey, '-keyout', 'self.key', '-out', 'self.pem', '-days', '20'],
    ...['-subj', '/CN=localhost', '-addext', 'basicConstraints=CA:FALSE'],
    ...['-addext', `subjectAltName=${loopbackNames.join()}`],
  );
  // openssl req knows no dates before today; x509 takes a day before.
  await openssl('req', ...newKey, '-keyout', 'old.key', '-out', 'old.csr', '-subj', '/CN=Old CA');
  await openssl('x509', '-req', '-in', 'old.csr', '-signkey', 'old.key', '-days', '-1', '-out', 'old.pem');
  return {
    certificateFile: file('ca.pem'),
    keyFile: file('ca.key'),
    issue,
    server: await issue(),
    selfSigned: {
      key: await text('self.key'),
      cert: await text('self.pem'),
      certificateFile: file('self.pem'),
    },
    expiredFile: file('old.pem'),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
