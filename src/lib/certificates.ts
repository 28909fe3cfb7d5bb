import { X509Certificate } from 'node:crypto';

/** One certificate as PEM text. */
export interface Certificate {
  readonly pem: string;
  /** False for one that may not issue others: a server's own, which is trusted as itself. */
  readonly isAuthority: boolean;
}

/**
 * The certificates of a PEM bundle that are good at `nowMs`; those that are over are left out while others are good.
 * Throws a text that says what is wrong with the bundle, and what makes it right.
 */
export function parseCertificates(text: string, nowMs: number): readonly Certificate[] {
  const blocks = text.match(pemCertificate) ?? [];
  if (blocks.length === 0) throw new Error(whyNone(text));
  const parsed = blocks.map((pem, index) => {
    try {
      return { pem: `${pem}\n`, certificate: new X509Certificate(pem) };
    } catch {
      throw new Error(`its certificate ${index + 1} of ${blocks.length} cannot be read; is the file whole?`);
    }
  });
  const good = parsed.filter(({ certificate }) => lifeProblem(certificate, nowMs) === null);
  const [first] = parsed;
  if (good.length === 0 && first !== undefined) {
    throw new Error(`its certificate ${nameOf(first.certificate)} ${lifeProblem(first.certificate, nowMs)}`);
  }
  return good.map(({ pem, certificate }) => ({ pem, isAuthority: certificate.ca }));
}

const pemCertificate = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

function whyNone(text: string): string {
  if (/-----BEGIN ([A-Z]+ )*PRIVATE KEY-----/.test(text)) {
    return 'holds a private key and no certificate; give the file with -----BEGIN CERTIFICATE-----, and keep the key to yourself';
  }
  if (text.trim() === '') return 'is empty; it must hold certificates in PEM form';
  const other = /-----BEGIN ([A-Z0-9 ]{1,40})-----/.exec(text)?.[1];
  if (other === 'CERTIFICATE') return 'holds a certificate that is cut off; copy the whole file';
  if (other !== undefined) return `holds a ${other} and no certificate in PEM form`;
  return 'holds no certificate in PEM form (-----BEGIN CERTIFICATE-----); a binary one becomes that with: openssl x509 -inform der -in FILE -out FILE.pem';
}

function lifeProblem({ validFrom, validTo }: X509Certificate, nowMs: number): string | null {
  if (Date.parse(validTo) < nowMs) return `expired at ${isoTime(validTo)}`;
  return Date.parse(validFrom) > nowMs
    ? `is not valid before ${isoTime(validFrom)}; is the clock of this machine right?`
    : null;
}

/** `"CN=Corp CA"`; the parts of a name come on lines of their own. */
function nameOf({ subject }: X509Certificate): string {
  return JSON.stringify(subject.split('\n').at(-1) ?? '');
}

function isoTime(text: string): string {
  return new Date(text).toISOString();
}
