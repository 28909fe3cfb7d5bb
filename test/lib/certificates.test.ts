import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCertificates } from '../../src/lib/certificates.ts';
import { makeAuthority, type TestAuthority } from '../support/test-authority.ts';

let authority: TestAuthority;
beforeAll(async () => {
  authority = await makeAuthority();
});
afterAll(() => authority?.remove());

const read = (path: string): Promise<string> => readFile(path, 'utf8');
const day = 86_400_000;

describe('a file of certificates', () => {
  it('gives each of its certificates, and which of them may issue others', async () => {
    const text = `Corp\n${await read(authority.certificateFile)}\r\n# own\n${authority.selfSigned.cert}`;
    const certificates = parseCertificates(text, Date.now());
    expect(certificates.map(({ isAuthority }) => isAuthority)).toEqual([true, false]);
    for (const { pem } of certificates) expect(pem).toMatch(/^-----BEGIN CERTIFICATE-----\n[\s\S]+\n$/);
  });

  it('may hold the key beside the certificate, of which nothing is kept', async () => {
    const [certificate, ...more] = parseCertificates(
      authority.selfSigned.key + authority.selfSigned.cert,
      Date.now(),
    );
    expect(more).toEqual([]);
    expect(certificate?.pem).not.toContain('PRIVATE');
  });

  it('leaves out what is over while another one is good, and is refused when none is', async () => {
    const old = await read(authority.expiredFile);
    const good = await read(authority.certificateFile);
    expect(parseCertificates(old + good, Date.now())).toHaveLength(1);
    expect(() => parseCertificates(old, Date.now())).toThrow(/"CN=Old CA" expired at \d{4}-/);
    expect(() => parseCertificates(good, Date.now() + 31 * day)).toThrow('expired at');
    expect(() => parseCertificates(good, Date.now() - 31 * day)).toThrow(
      'is the clock of this machine right',
    );
  });

  it('that holds something else is refused by what it holds', async () => {
    const cut = (await read(authority.certificateFile)).slice(0, 200);
    const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
    const refusals: [string, string][] = [
      ['', 'is empty'],
      [authority.server.key, 'holds a private key and no certificate'],
      ['-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----', 'holds a private key'],
      ['-----BEGIN CERTIFICATE REQUEST-----\nAAAA', 'holds a CERTIFICATE REQUEST and no certificate'],
      [cut, 'cut off'],
      ['\x30\x82\x01\x0a', 'openssl x509 -inform der'],
      ['<html>404</html>', 'holds no certificate in PEM form'],
      [broken, 'certificate 1 of 1 cannot be read'],
    ];
    for (const [text, message] of refusals) {
      expect(() => parseCertificates(text, Date.now()), message).toThrow(message);
    }
  });
});
