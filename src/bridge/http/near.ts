import { BlockList, isIPv4 } from 'node:net';
import type { FastifyRequest } from 'fastify';

/** Headers that proxies add, those of large content networks among them. */
const proxyHeader =
  /^(forwarded|via|x-real-ip|x-(original-)?forwarded-.+|((x|true|cf|fly|fastly)-)?((cluster-)?client|connecting|external)-ip|x-envoy-.+)$/;

const nearNetworks: readonly string[] = [
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '::1/128',
  'fc00::/7',
];

/**
 * Says of a request whether it comes straight from this machine or its private network: by the address of the socket, which
 * cannot be made up, unless that is one of `proxies`, or a header says that a proxy stands between, or the request is
 * HTTP/1.0: what nginx speaks, which adds no header unless it is told to.
 */
export function nearness(proxies: readonly string[]): (request: FastifyRequest) => boolean {
  const near = listOf(nearNetworks);
  const known = listOf(proxies);
  return ({ socket: { remoteAddress }, headers, raw }) => {
    // A socket that is gone has no address, and gets no answer either.
    if (remoteAddress === undefined) return false;
    const address = remoteAddress.replace(/^::ffff:(?=\d+\.)/, '').replace(/%.*$/, '');
    const family = isIPv4(address) ? 'ipv4' : 'ipv6';
    return (
      near.check(address, family) &&
      !known.check(address, family) &&
      raw.httpVersion !== '1.0' &&
      !Object.keys(headers).some((name) => proxyHeader.test(name))
    );
  };
}

function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const family = isIPv4(address) ? 'ipv4' : 'ipv6';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}
