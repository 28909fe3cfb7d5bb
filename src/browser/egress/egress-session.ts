import { randomBytes } from 'node:crypto';
import { Agent } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { RunDeed } from '../step/run-deed.ts';
import { netErrorOf } from './net-errors.ts';
import type { NetworkRules, Refusal, Target } from './network-rules.ts';

/** What one page has of the proxy: who it is to it, what it may reach, and what came of its requests. */
export interface EgressSession {
  readonly username: string;
  readonly password: string;
  /** Null while the page belongs to no run: then it reaches nothing. */
  readonly rules: NetworkRules | null;
  /** Connections to sites of plain HTTP. Of the session alone: another one's were made by other rules. */
  readonly agent: Agent;
  bind(rules: NetworkRules): void;
  /** Who hears what was reached and what was refused, each host once. */
  listen(onDeed: (deed: RunDeed) => void): void;
  reached(target: Target): void;
  refused(refusal: Refusal): void;
  /** A connection to this host could not be made, or broke before there was an answer: the name Chromium has for that. */
  failed(target: Target, netError: string): void;
  /** Why a host was refused, null when it was not. */
  refusalFor(target: Target): Refusal | null;
  /** The last failure of this host, as Chromium names it; null when there was none. */
  failureOf(target: Target): string | null;
  /** Everything that was refused since the last call of {@link forget}. */
  refusals(): readonly Refusal[];
  forget(): void;
  /** A socket that ends with the session. */
  hold(socket: Socket): void;
  close(): void;
}

/** A session whose page reaches nothing yet. `onClose` is called once. */
export function openSession(onClose: () => void): EgressSession {
  const reachedHosts = new Set<string>();
  const toldRefusals = new Set<string>();
  const refusals = new Map<string, Refusal>();
  const recent = new Map<string, Refusal>();
  const failures = new Map<string, string>();
  const held = new Set<Socket>();
  let rules: NetworkRules | null = null;
  let onDeed: (deed: RunDeed) => void = () => {};
  let isClosed = false;

  const failed = (target: Target, netError: string): void => remember(failures, nameOf(target), netError);
  const agent = new SiteAgent((target, error) => failed(target, netErrorOf(error)));

  return {
    username: randomBytes(12).toString('base64url'),
    password: randomBytes(24).toString('base64url'),
    get rules() {
      return isClosed ? null : rules;
    },
    agent,
    bind(given) {
      rules = given;
    },
    listen(listener) {
      onDeed = listener;
    },
    reached(target) {
      const host = nameOf(target);
      failures.delete(host);
      if (reachedHosts.has(host) || reachedHosts.size >= maxHosts) return;
      reachedHosts.add(host);
      onDeed({ type: 'host_reached', host });
    },
    refused(refusal) {
      remember(refusals, refusal.host, refusal);
      remember(recent, refusal.host, refusal);
      if (toldRefusals.has(refusal.host) || toldRefusals.size >= maxHosts) return;
      toldRefusals.add(refusal.host);
      onDeed({ type: 'host_blocked', host: refusal.host, why: refusal.why });
    },
    failed,
    refusalFor: (target) => refusals.get(nameOf(target)) ?? null,
    failureOf: (target) => failures.get(nameOf(target)) ?? null,
    refusals: () => [...recent.values()],
    forget: () => recent.clear(),
    hold(socket) {
      held.add(socket);
      socket.once('close', () => held.delete(socket));
    },
    close() {
      if (isClosed) return;
      isClosed = true;
      agent.destroy();
      for (const socket of held) socket.destroy();
      onClose();
    },
  };
}

/** Hosts of one run that are kept and told, each kind; a page may ask for any number of them. */
const maxHosts = 1_000;

function remember<Value>(map: Map<string, Value>, host: string, value: Value): void {
  map.delete(host);
  if (map.size < maxHosts) map.set(host, value);
}

function nameOf({ host, port }: Target): string {
  return `${host}:${port}`;
}

/**
 * A connection that idles for longer is closed: the site might close it at the moment it is used again, and nobody could
 * tell whether the request was done. Servers keep theirs for 2 s and more.
 */
const idleMs = 1_000;

/** Keeps connections, and tells which could not be made. */
class SiteAgent extends Agent {
  readonly #onError: (target: Target, error: Error) => void;

  constructor(onError: (target: Target, error: Error) => void) {
    super({ keepAlive: true, timeout: idleMs, noDelay: true });
    this.#onError = onError;
  }

  override createConnection(
    ...[options, callback]: Parameters<Agent['createConnection']>
  ): Duplex | null | undefined {
    const socket = super.createConnection(options, callback);
    const { host, port } = options;
    socket?.once('error', (error) =>
      this.#onError({ host: String(host ?? ''), port: Number(port ?? 80) }, error),
    );
    return socket;
  }
}
