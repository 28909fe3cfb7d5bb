import { setting } from './setting.ts';
import { optionalText, parsedBy } from './values.ts';

/** How the runner itself reaches the bridge. */
export const proxySettings = {
  /** Empty for none, as undici takes it. */
  httpProxy: setting({
    variables: ['http_proxy', 'HTTP_PROXY'],
    summary: 'Proxy for http: addresses',
    value: proxyAddress(),
  }),
  httpsProxy: setting({
    variables: ['https_proxy', 'HTTPS_PROXY'],
    summary: 'Proxy for https: addresses',
    value: proxyAddress(),
  }),
  noProxy: setting({
    variables: ['no_proxy', 'NO_PROXY'],
    summary: 'Hosts that are reached without a proxy, separated by commas',
    value: optionalText.transform((text) => text ?? ''),
  }),
};

function proxyAddress() {
  return optionalText.transform(parsedBy(normaliseProxyAddress)).transform((address) => address ?? '');
}

/** `proxy:3128` is common; undici wants a scheme. */
function normaliseProxyAddress(text: string): string {
  const address = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const scheme = URL.canParse(address) ? new URL(address).protocol : '';
  if (scheme === 'http:' || scheme === 'https:') return address;
  // The text itself is not repeated: it may hold a password.
  throw new Error('is no address of an http proxy; write http://host:port');
}
