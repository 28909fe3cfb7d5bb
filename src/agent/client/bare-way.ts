import { type IncomingMessage, type RequestOptions, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { addAbortSignal } from 'node:stream';
import { connect as connectTls, type SecureContext, type TLSSocket } from 'node:tls';
import { bareHost, portOf } from '../../lib/host-and-port.ts';
import type { ProxySettings } from '../config/agent-config.ts';
import { type ChosenProxy, chooseProxy } from './proxies.ts';
import { trustedCertificates } from './trusted-certificates.ts';

/** A bare connection to a bridge, or what the proxy said instead of making one; `start` is the beginning of its page. */
type BareConnection = { socket: Socket } | { refusal: { status: number; start: string } };

/** The way of the transport without its requests: for looking at the way itself. */
export interface BareWay {
  /** The proxy on the way to `target`, null for none. */
  proxyFor(target: URL): ChosenProxy | null;
  /** Opens a connection straight, or through the proxy by CONNECT. Throws what the system says; `signal` ends the connection. */
  open(target: URL, signal: AbortSignal): Promise<BareConnection>;
  /** TLS over a connection to `target`. Nothing is refused: what is wrong with the certificate is in `authorizationError`. */
  secure(target: URL, socket: Socket): Promise<TLSSocket>;
}

/** The way that these settings choose, with the certificates that they trust. */
export function createBareWay(settings: ProxySettings): BareWay {
  const proxyFor = chooseProxy(settings);
  const secureContext = trustedCertificates(settings);
  const trust = secureContext === null ? {} : { secureContext };
  return {
    proxyFor,
    async open(target, signal) {
      const proxy = proxyFor(target);
      if (proxy !== null) return openThrough(proxy, target, { ...trust, signal });
      const socket = connectTcp({ host: bareHost(target.hostname), port: portOf(target), signal });
      await opened(socket, 'connect');
      return { socket };
    },
    async secure(target, socket) {
      const host = bareHost(target.hostname);
      const secured = connectTls({
        ...trust,
        socket,
        host,
        ...(isIP(host) === 0 ? { servername: host } : {}),
        rejectUnauthorized: false,
        ALPNProtocols: ['http/1.1'],
      });
      await opened(secured, 'secureConnect');
      return secured;
    },
  };
}

function openThrough(
  proxy: ChosenProxy,
  target: URL,
  { secureContext, signal }: { secureContext?: SecureContext; signal: AbortSignal },
): Promise<BareConnection> {
  const origin = new URL(proxy.origin);
  const authority = `${target.hostname}:${portOf(target)}`;
  const options: RequestOptions = {
    host: bareHost(origin.hostname),
    port: portOf(origin),
    method: 'CONNECT',
    path: authority,
    headers: {
      host: authority,
      ...(proxy.authorization === null ? {} : { 'proxy-authorization': proxy.authorization }),
    },
    agent: false,
    signal,
  };
  const trust = secureContext === undefined ? {} : { secureContext };
  const request =
    origin.protocol === 'https:' ? requestHttps({ ...options, ...trust }) : requestHttp(options);
  return new Promise((resolve, reject) => {
    request.once('error', reject);
    request.once('connect', (answer: IncomingMessage, socket: Socket, head: Buffer) => {
      // Whoever opened it hears of its end by what they wait for.
      socket.on('error', () => {});
      // It is the request's no more, which the signal was given to.
      addAbortSignal(signal, socket);
      if (answer.statusCode === 200) return resolve({ socket });
      socket.destroy();
      resolve({ refusal: { status: answer.statusCode ?? 0, start: head.toString('utf8') } });
    });
    request.end();
  });
}

function opened(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the connection was closed')));
    socket.once(event, () => {
      socket.off('error', reject);
      socket.on('error', () => {});
      resolve();
    });
  });
}
