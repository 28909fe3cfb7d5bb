import { errorText, systemErrorCode } from '../../lib/errors.ts';
import { type Finding, failed } from './check.ts';

/** What a certificate says of itself. */
export interface LeafCertificate {
  subject: string;
  issuer: string;
  /** Hosts it is for. */
  names: readonly string[];
  /** As OpenSSL writes times: `Nov 24 12:00:00 2026 GMT`. */
  validFrom: string;
  validTo: string;
}

/** What is wrong with a certificate, by Node's code for it, and what to do. */
export function tlsFinding(
  code: string,
  { subject, issuer, names, validFrom, validTo }: LeafCertificate,
  { target, nowMs }: { target: URL; nowMs: number },
): Finding {
  const today = new Date(nowMs).toISOString();
  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return failed(
        `expired: a certificate of the chain of ${subject} (by ${issuer}, until ${validTo}) is over`,
        `Its operators must renew it; check also that this machine's clock is right (it says ${today})`,
      );
    case 'CERT_NOT_YET_VALID':
      return failed(
        `not valid yet: the certificate of ${subject} (by ${issuer}) begins at ${validFrom}`,
        `Set this machine's clock (it says ${today}): timedatectl set-ntp true`,
      );
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return failed(
        `another name: the certificate is for ${names.slice(0, 5).join(', ') || subject}, not for ${target.hostname}`,
        `Use a name it is for, or have it issued for ${target.hostname} too: qualinet doctor --api https://${names[0] ?? subject}`,
      );
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return failed(
        `self-signed: ${subject} vouches for itself, and this machine does not know it`,
        `Get that certificate from the operators of the bridge, then: ${withCaFile}`,
      );
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return failed(
        `unknown authority: the certificate of ${subject} was issued by "${issuer}", which this machine does not trust (${code}); a proxy that opens TLS does that`,
        `Get the certificate of "${issuer}" from your network's administrators, then: ${withCaFile}`,
      );
    default:
      return failed(
        `the certificate of ${subject} (by ${issuer}) is refused: ${code}`,
        `If your network has an authority of its own: ${withCaFile}`,
      );
  }
}

/** What it means that no TLS came about at all. */
export function tlsRefusal(error: unknown, target: URL): Finding {
  const code = systemErrorCode(error) ?? '';
  if (/UNSUPPORTED_PROTOCOL|PROTOCOL_VERSION|NO_PROTOCOLS/.test(code)) {
    return failed(
      'too old: the other side speaks no TLS 1.2 or newer',
      'Whatever ends TLS there (bridge, load balancer or proxy) must allow TLS 1.2 or newer',
    );
  }
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST/.test(code)) {
    return failed(
      `what listens at ${target.host} speaks no TLS`,
      `If the bridge has none: --api http://${target.host}`,
    );
  }
  if (/HANDSHAKE_FAILURE|NO_CIPHER/.test(code))
    return failed(
      `both sides have no cipher in common (${code})`,
      'Whatever ends TLS there must offer current ciphers',
    );
  return failed(
    `the connection is cut when TLS begins: ${errorText(error)}`,
    'Something in between may forbid this host: ask the administrators of your network',
  );
}

const withCaFile = '--ca-file /path/to/it.pem, or QUALINET_CA_FILE=/path/to/it.pem';
