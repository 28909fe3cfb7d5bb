import { connect, isIP, type LookupFunction, type Socket } from 'node:net';
import type { Target } from './network-rules.ts';

/** A look-up that knows one answer, whatever it is asked: a connection goes to the addresses that were checked and to no others. */
export function pinnedLookup(addresses: readonly string[]): LookupFunction {
  const entries = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_host, { all, family }, callback) => {
    const wanted =
      family === 4 || family === 6 ? entries.filter((entry) => entry.family === family) : entries;
    const [first] = wanted;
    if (all === true && first !== undefined) callback(null, wanted);
    else if (first !== undefined) callback(null, first.address, first.family);
    else callback(Object.assign(new Error('no address'), { code: 'ENOTFOUND' }), '');
  };
}

/** A connection to one of these addresses, tried as browsers do. Rejects with Node's own error; `whileOpen` is who wants it. */
export function dial(target: Target, addresses: readonly string[], whileOpen: Socket): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      // Names are not looked up again, and an address is its own look-up.
      host: 'checked.invalid',
      port: target.port,
      lookup: pinnedLookup(addresses),
      autoSelectFamily: true,
      noDelay: true,
      allowHalfOpen: true,
    });
    const giveUp = (): void => void socket.destroy();
    whileOpen.once('close', giveUp);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
    socket.once('error', reject);
    socket.once('close', () => {
      whileOpen.off('close', giveUp);
      reject(Object.assign(new Error('nobody wants the connection any more'), { code: 'ECONNABORTED' }));
    });
  });
}
