import { errorText, systemErrorCode } from '../../lib/errors.ts';
import { portOf } from '../../lib/host-and-port.ts';
import type { ChosenProxy } from './proxies.ts';

/**
 * Why nothing came back from `origin`, in words that say whether the proxy or what is behind it failed, and what to do.
 * The proxy is named without its password.
 */
export function explainNetworkFailure(
  origin: string,
  error: unknown,
  proxy: ChosenProxy | null,
): { text: string; hint: string | null } {
  const text = errorText(error);
  const code = systemErrorCode(error) ?? '';
  return (
    (proxy === null ? null : proxyFailure(new URL(origin), text, code, proxy)) ??
    certificateFailure(text, code) ?? { text, hint: hintFor(code, proxy) }
  );
}

function proxyFailure(target: URL, text: string, code: string, proxy: ChosenProxy) {
  const { origin, host, variable, authorization } = proxy;
  const refused = /Proxy response \((\d+)\)/.exec(text)?.[1];
  const place = `${target.hostname}:${portOf(target)}`;
  if (refused === '407') {
    return {
      text: `the proxy ${origin} ${authorization === null ? 'wants a user name and password' : 'does not take this user name and password'} (407)`,
      hint: `Give user name and password: ${variable}=${origin.replace('://', '://USER:PASSWORD@')}, special characters percent-encoded (@ is %40, / is %2F).`,
    };
  }
  if (refused === '403') {
    return {
      text: `the proxy ${origin} refuses CONNECT to ${place} (403)`,
      hint: `Many proxies allow port 443 only: ask its administrator to allow ${place}, or name the host in NO_PROXY where it is reached without the proxy.`,
    };
  }
  if (refused !== undefined) {
    return {
      text: `the proxy ${origin} answered CONNECT to ${place} with ${refused}`,
      hint: 'The proxy cannot reach the bridge: check the address, and ask the administrator of the proxy.',
    };
  }
  if ((code === 'ENOTFOUND' || code === 'EAI_AGAIN') && text.includes(` ${host}`)) {
    return { text: `the host of the proxy ${origin} is not known`, hint: `Check ${variable}, and the DNS.` };
  }
  if (code === 'ECONNREFUSED') {
    return { text: `nothing answers at the proxy ${origin} (${code})`, hint: `Check ${variable}.` };
  }
  if (isConnectTimeout.test(code)) {
    return {
      text: `the proxy ${origin} does not answer (${code})`,
      hint: `Check ${variable}${origin.startsWith('https:') ? ' (most proxies are spoken to as http://)' : ''}, and that the proxy runs.`,
    };
  }
  return null;
}

const isConnectTimeout =
  /^(ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|UND_ERR_HEADERS_TIMEOUT)$/;

function certificateFailure(text: string, code: string) {
  if (/SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/.test(code)) {
    return {
      text: `its certificate is of an authority that is not trusted here (${code})`,
      hint: 'A proxy that opens TLS, or an authority of your own? Name the PEM file of its certificate: --ca-file FILE, or QUALINET_CA_FILE.',
    };
  }
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    return {
      text,
      hint: 'Is the clock of this machine right? Otherwise its operators must renew the certificate.',
    };
  }
  if (/ALTNAME_INVALID|UND_ERR_PRX_TLS/.test(code)) {
    return { text, hint: 'The certificate is for other names than this address: is the address right?' };
  }
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG/.test(`${code} ${text}`)) {
    return {
      text,
      hint: 'What answers there speaks no TLS: should it be http:// instead of https:// (for the proxy, too)?',
    };
  }
  return null;
}

function hintFor(code: string, proxy: ChosenProxy | null): string | null {
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return proxy === null
      ? 'Check the address, the DNS, and HTTPS_PROXY.'
      : 'Check the address, and the DNS.';
  }
  if (code === 'ECONNREFUSED') return 'Check that the bridge runs and that address and port are right.';
  return null;
}
