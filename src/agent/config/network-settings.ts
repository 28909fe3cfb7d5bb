import * as z from 'zod';
import { normaliseProxyAddress } from './proxy-settings.ts';
import { setting } from './setting.ts';
import { hostPatterns, optionalText, parsedBy } from './values.ts';

/** Parts of the network that flows may reach, from the widest to the narrowest. */
export const networkProfiles = ['open', 'lan', 'public'] as const;

/** Which part of the network flows may reach. Only this machine decides: nothing of it comes from the server. */
export const networkSettings = {
  /** Null for the default, which depends on who chooses the flows (docs/decisions/0016). */
  network: setting({
    variables: ['QUALINET_NETWORK'],
    flag: '--network',
    summary:
      'What flows may reach: `open`, `lan` (no loopback, link-local or cloud metadata) or `public` (no private networks either)',
    value: optionalText.pipe(z.enum(networkProfiles, 'must be open, lan or public').nullable()),
  }),
  allowHosts: setting({
    variables: ['QUALINET_ALLOW_HOSTS'],
    flag: '--allow-host',
    summary: 'Hosts that flows may reach besides: `localhost:3000`, `*.corp.example`, `10.0.0.0/8`',
    value: hostPatterns,
  }),
  /** Empty for no such list. */
  onlyHosts: setting({
    variables: ['QUALINET_ONLY_HOSTS'],
    flag: '--only-hosts',
    summary: 'The only hosts that flows may reach, separated by commas',
    value: hostPatterns,
  }),
  /** Null for the proxy of the runner itself, empty for none. */
  browserProxy: setting({
    variables: ['QUALINET_BROWSER_PROXY'],
    flag: '--browser-proxy',
    summary:
      'Proxy that flows go through, or `none` (default: as the runner itself, HTTPS_PROXY, HTTP_PROXY and NO_PROXY)',
    value: optionalText.transform(parsedBy((text) => (text === 'none' ? '' : normaliseProxyAddress(text)))),
  }),
};
