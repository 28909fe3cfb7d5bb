/** The port that an address leads to, also where it names none. */
export function portOf({ port, protocol }: Pick<URL, 'port' | 'protocol'>): number {
  if (port !== '') return Number(port);
  return protocol === 'https:' || protocol === 'wss:' ? 443 : 80;
}

/** True for a host that is this machine by its very writing: `localhost`, or a loopback address. */
export function isLoopbackHost(hostname: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}

/** A host without the brackets that IPv6 addresses have in URLs, as sockets and the resolver take it. */
export function bareHost(host: string): string {
  return host.replace(/^\[|\]$/g, '');
}
