import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Certificate, parseCertificates } from '../../lib/certificates.ts';
import { errorText, systemErrorCode } from '../../lib/errors.ts';
import { setting } from './setting.ts';
import { optionalText, parsedBy } from './values.ts';

/** How the runner itself reaches the bridge: through which proxy, and whose certificates it takes. */
export const proxySettings = {
  /** Empty for none. */
  httpProxy: setting({
    variables: ['http_proxy', 'HTTP_PROXY'],
    summary: 'Proxy for http: addresses, and for https: ones where HTTPS_PROXY is not set',
    value: proxyAddress(),
  }),
  httpsProxy: setting({
    variables: ['https_proxy', 'HTTPS_PROXY'],
    summary: 'Proxy for https: addresses',
    value: proxyAddress(),
  }),
  noProxy: setting({
    variables: ['no_proxy', 'NO_PROXY'],
    summary: 'Hosts, `.suffixes` and networks that are reached without a proxy, separated by commas',
    value: optionalText.transform((text) => text ?? ''),
  }),
  /** Trusted besides those that are trusted anyway; null when no file is given. */
  extraCas: setting({
    variables: ['QUALINET_CA_FILE'],
    flag: '--ca-file',
    summary:
      'PEM file of certificates that are trusted besides the usual ones, by the runner and its browser',
    value: optionalText.transform(parsedBy(readCaFile)),
  }),
  /** Read by Node itself at its start; known here because naming any certificate makes Node forget it. */
  nodeExtraCaFile: setting({
    variables: ['NODE_EXTRA_CA_CERTS'],
    summary: 'The same for the runner alone, as Node reads it',
    value: optionalText,
  }),
};

/** A file of certificates that was read and checked. */
export interface CaFile {
  readonly path: string;
  readonly certificates: readonly Certificate[];
}

/** Larger than any bundle of all authorities of the world. */
const mostBytes = 8 * 1024 * 1024;

function readCaFile(written: string): CaFile {
  const path = resolve(written);
  const text = readText(path);
  try {
    return { path, certificates: parseCertificates(text, Date.now()) };
  } catch (error) {
    throw new Error(`${path} ${errorText(error)}`);
  }
}

function readText(path: string): string {
  try {
    const entry = statSync(path);
    if (!entry.isFile()) throw new Error('is no file');
    if (entry.size > mostBytes) throw new Error(`has ${entry.size} bytes, which is no file of certificates`);
    return readFileSync(path, 'latin1');
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === null) throw new Error(`${path} ${errorText(error)}`);
    throw new Error(
      code === 'ENOENT' ? `${path} is not there` : `${path} cannot be read: ${errorText(error)}`,
    );
  }
}

function proxyAddress() {
  return optionalText.transform(parsedBy(normaliseProxyAddress)).transform((address) => address ?? '');
}

/** `proxy:3128` is common; undici wants a scheme. The text itself is never repeated: it may hold a password. */
export function normaliseProxyAddress(text: string): string {
  const address = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.canParse(address) ? new URL(address) : null;
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new Error(`is no address of an http proxy; write http://host:port${encodingAdvice(text)}`);
  }
  if (url.hash !== '' || url.search !== '' || url.pathname !== '/') {
    throw new Error(`has something behind host and port; write http://host:port${encodingAdvice(text)}`);
  }
  if (!isEncoded(url.username) || !isEncoded(url.password)) {
    throw new Error('has a user name or password with a "%" that must be written %25');
  }
  return address;
}

function encodingAdvice(text: string): string {
  return text.includes('@')
    ? ', and special characters of user name and password percent-encoded: / is %2F, # is %23, ? is %3F'
    : '';
}

function isEncoded(part: string): boolean {
  try {
    decodeURIComponent(part);
    return true;
  } catch {
    return false;
  }
}
