import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { errorText, systemErrorCode } from '../../lib/errors.ts';
import { bareHost } from '../../lib/host-and-port.ts';
import { type Check, failed, ok } from './check.ts';

export const nameLookup: Check = {
  name: 'dns',
  title: 'Name of the bridge',
  needs: ['address'],
  fix: 'Check the name servers of this machine (/etc/resolv.conf), or set HTTPS_PROXY where only a proxy resolves names',
  limitMs: 6_000,
  async run({ target, way }) {
    const url = await target();
    const host = bareHost(url.hostname);
    if (isIP(host) !== 0) return ok(`${host} is an address itself`);
    if (way.proxyFor(url) !== null) return ok(`the proxy looks ${host} up`);
    try {
      const found = await lookup(host, { all: true });
      return ok(`${host} is ${found.map((entry) => entry.address).join(', ')}`);
    } catch (error) {
      const why =
        { ENOTFOUND: 'there is no such name', EAI_AGAIN: 'no name server answers' }[
          systemErrorCode(error) ?? ''
        ] ?? errorText(error);
      return failed(
        `${host} cannot be found: ${why}`,
        `Correct the address if it is misspelt. ${nameLookup.fix}`,
      );
    }
  },
};
