import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Credentials } from '../../src/agent/credentials/credentials.ts';
import { Secret } from '../../src/lib/secret.ts';
import { checkWord, deriveKey, keyidOf, parseKeyid, wrapKey } from '../../src/protocol/keys.ts';
import type { Lease, WrappedKey } from '../../src/protocol/messages.ts';
import { type ProblemCode, problemBody } from '../../src/protocol/problem.ts';
import { type RequestOf, type Route, type RouteName, routes } from '../../src/protocol/routes.ts';
import type { NumberedEvent, RunResult } from '../../src/protocol/run-result.ts';
import {
  type RequestMessage,
  type SigningKey,
  signResponse,
  verifyRequest,
} from '../../src/protocol/signing.ts';

/** A request that the fake took. */
export interface Received {
  name: RouteName;
  params: Record<string, string>;
  /** Parsed by the route's schema. */
  body: unknown;
  headers: IncomingMessage['headers'];
  keyid: string | null;
}

/** What an answer is made of; `isSigned` false leaves the signature out. */
export interface FakeAnswer {
  status: number;
  type: string;
  body: string;
  headers?: Record<string, string>;
  isSigned?: boolean;
}

/**
 * What the fake does with one request instead of answering as it should.
 * `drop`: closes the socket before doing anything; `drop-after`: does it, then closes the socket; `hang`: never answers.
 */
export type Script =
  | 'drop'
  | 'drop-after'
  | 'hang'
  | { problem: ProblemCode; isSigned?: boolean; headers?: Record<string, string>; serverTime?: string }
  | { raw: FakeAnswer }
  | { json: unknown; isSigned?: boolean };

/** A pairing code of the fake and what comes of it. */
export interface FakeCode {
  /** One answer for each claim; the last one stays. */
  claims: ('pending' | 'approved' | 'pairing_denied' | 'pairing_expired')[];
  managed?: boolean;
  /** Fields added to the answer of the claim. */
  extra?: Record<string, unknown>;
  apiBaseUrl?: string;
}

export const workerSecret = new Secret('the worker secret of the fake');
export const managedSecret = new Secret('a managed pairing secret of 32+ characters');

/** A bridge in this process, over real HTTP, that verifies and signs, keeps its state in memory and can be told to misbehave. */
export class FakeBridge {
  url = '';
  readonly received: Received[] = [];
  readonly codes = new Map<string, FakeCode>();
  readonly events = new Map<string, NumberedEvent[]>();
  readonly results = new Map<string, RunResult>();
  readonly uploads = new Map<string, { bytes: Buffer; headers: IncomingMessage['headers'] }>();
  /** Orders that heartbeats of a lease bring back. */
  readonly orders = new Map<string, string[]>();
  readonly lost = new Set<string>();
  readonly revoked = new Set<string>();
  /** Ids of keys that are over, and of keys it says it does not know. */
  readonly expired = new Set<string>();
  readonly unknown = new Set<string>();
  /** Wraps something else than the next key; null for the next key itself. */
  wrap: ((publicKey: string) => WrappedKey) | null = null;
  /** Orders that polls bring back. */
  pollOrders: string[] = [];
  /** What the clock of the bridge says; null for this machine's. */
  nowMs: () => number = Date.now;
  ttlMs = 60_000;
  /** Time that runs have left, whenever it is asked. */
  remainingMs = 15 * 60_000;
  /** True for an operator's drain. */
  isDraining = false;
  generation = 1;
  controlStreams = 0;
  /** Status of the answer to the PUT of a picture. */
  storageStatus = 200;
  /** Leases whose pictures are refused. */
  readonly refusesPicturesOf = new Set<string>();
  readonly #queue: Lease[] = [];
  readonly #scripts = new Map<RouteName, Script[]>();
  readonly #pollers = new Set<() => void>();
  readonly #streams = new Set<ServerResponse>();
  readonly #claims = new Map<string, { code: FakeCode; publicKey: string; round: number }>();
  readonly #watchers = new Set<() => void>();
  #server: Server | null = null;

  static async start(): Promise<FakeBridge> {
    const bridge = new FakeBridge();
    await bridge.listen(0);
    return bridge;
  }

  async listen(port: number): Promise<void> {
    const server = createServer((request, response) => {
      this.#handle(request, response).catch((error: unknown) => {
        response.destroy(error instanceof Error ? error : new Error(String(error)));
      });
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const wake of [...this.#pollers]) wake();
    const server = this.#server;
    server?.closeAllConnections();
    await new Promise((resolve) => (server === null ? resolve(null) : server.close(resolve)));
  }

  /** Credentials of a runner this bridge knows. */
  credentials(over: Partial<Credentials> = {}): Credentials {
    const runnerId = over.runnerId ?? randomUUID();
    return {
      runnerId,
      apiBaseUrl: this.url,
      name: 'the runner',
      workspace: 'default',
      labels: [],
      mode: 'self-hosted',
      keys: [{ ...this.keyOf(runnerId, 1), ...this.#life(1) }],
      pairedAt: '2026-11-24T10:00:00.000Z',
      ...over,
    };
  }

  keyOf(runnerId: string, generation: number): SigningKey {
    const name = { kind: 'runner', runnerId, generation } as const;
    return { keyid: keyidOf(name), secret: deriveKey(workerSecret, name) };
  }

  /** Queues a run; `over` changes its lease. */
  queueLease(over: Partial<Lease> = {}): Lease {
    const lease = this.lease(over);
    this.#queue.push(lease);
    for (const wake of [...this.#pollers]) wake();
    return lease;
  }

  /** A lease that no poll gives. */
  lease(over: Partial<Lease> = {}): Lease {
    return {
      leaseId: randomUUID(),
      runId: randomUUID(),
      fence: 1,
      attempt: 1,
      ttlMs: this.ttlMs,
      heartbeatMs: 15_000,
      offerMs: 5_000,
      remainingMs: this.remainingMs,
      flow: waitFlow,
      variables: {},
      ...over,
    };
  }

  /** The next requests of this route go as scripted, one each. */
  script(name: RouteName, ...scripts: Script[]): void {
    this.#scripts.set(name, [...(this.#scripts.get(name) ?? []), ...scripts]);
  }

  /** From now on it answers requests of this route as it should. */
  clearScripts(name: RouteName): void {
    this.#scripts.delete(name);
  }

  of(name: RouteName): Received[] {
    return this.received.filter((received) => received.name === name);
  }

  /** Resolves as soon as `condition` holds; looked at after every request. */
  async until(condition: () => boolean, what = 'the condition'): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#watchers.delete(look);
        reject(new Error(`${what} did not come true; received ${this.received.map(({ name }) => name)}`));
      }, 8_000);
      const look = (): void => {
        if (!condition()) return;
        clearTimeout(timer);
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
    });
  }

  /** Sends a hint on every control stream. */
  hint(event: 'poll' | 'heartbeat', data: unknown = {}): void {
    for (const stream of this.#streams) stream.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const bytes = await readAll(request);
    const url = new URL(request.url ?? '/', this.url);
    if (url.pathname.startsWith('/storage/')) {
      this.uploads.set(url.pathname, { bytes, headers: request.headers });
      response.writeHead(this.storageStatus).end();
      return this.#look();
    }
    const match = matchRoute(request.method ?? '', url.pathname);
    if (match === null) return void response.writeHead(404).end('no such route');
    const { name, params } = match;
    const message: RequestMessage = {
      method: request.method ?? '',
      url: `${this.url}${request.url}`,
      headers: request.headers as Record<string, string | undefined>,
      body: bytes.length === 0 ? null : bytes,
    };
    let key: SigningKey | null = null;
    let refusal: ProblemCode | null = null;
    if (routes[name].auth !== 'none') {
      const verdict = await verifyRequest(message, async (keyid) => this.#keysNamed(keyid), this.nowMs());
      refusal = verdict.problem;
      if (verdict.authentic) key = verdict.key;
      if (refusal === null && key !== null && this.revoked.has(key.keyid)) refusal = 'credential_revoked';
      if (refusal === null && key !== null && this.expired.has(key.keyid)) refusal = 'credential_expired';
    }
    const json: unknown = bytes.length === 0 ? undefined : JSON.parse(bytes.toString('utf8'));
    const route: Route = routes[name];
    const parsed = route.request?.safeParse(json);
    const received: Received = {
      name,
      params,
      body: parsed?.data,
      headers: request.headers,
      keyid: key?.keyid ?? null,
    };
    this.received.push(received);
    const script = this.#scripts.get(name)?.shift();
    const isGone = new AbortController();
    response.on('close', () => isGone.abort());
    this.#look();
    if (script === 'drop') return void response.destroy();
    if (script === 'hang') return;
    if (refusal !== null) {
      const isAboutTime = refusal === 'clock_skew' || refusal === 'signature_expired';
      const serverTime = isAboutTime ? new Date(this.nowMs()).toISOString() : undefined;
      return this.#answer(response, problemAnswer(refusal, serverTime), key, message);
    }
    if (parsed !== undefined && !parsed.success) {
      return this.#answer(
        response,
        problemAnswer('malformed_request', undefined, parsed.error.message),
        key,
        message,
      );
    }
    if (typeof script === 'object') return this.#answer(response, scripted(script), key, message);
    if (name === 'control') return this.#openStream(response);
    const answer = await this.#do(received, isGone.signal);
    this.#look();
    if (script === 'drop-after') return void response.destroy();
    if (!isGone.signal.aborted) this.#answer(response, answer, key, message);
  }

  async #do(received: Received, isGone: AbortSignal): Promise<FakeAnswer> {
    const { name, params, body } = received;
    const leaseId = params['leaseId'] ?? '';
    if (leaseId !== '' && this.lost.has(leaseId)) return problemAnswer('lease_lost');
    const runnerId = this.#runnerOf(received);
    switch (name) {
      case 'pollLeases':
        return json({
          leases: await this.#poll(body as RequestOf<'pollLeases'>, isGone),
          orders: [...(this.isDraining ? ['drain'] : []), ...this.pollOrders],
        });
      case 'heartbeat':
        return json({
          ttlMs: this.ttlMs,
          remainingMs: this.remainingMs,
          orders: [...(this.isDraining ? ['drain'] : []), ...(this.orders.get(leaseId) ?? [])],
        });
      case 'postEvents':
        return json({ ackedSeq: this.#store(leaseId, body as RequestOf<'postEvents'>) });
      case 'requestUpload': {
        if (this.refusesPicturesOf.has(leaseId)) return problemAnswer('artifact_refused');
        const { sha256, contentType } = body as RequestOf<'requestUpload'>;
        const path = `/storage/${sha256}`;
        return json({
          method: 'PUT',
          url: `${this.url}${path}?signature=abc`,
          headers: { 'content-type': contentType },
          publicUrl: `${this.url}/public/${sha256}.png`,
          expiresAt: '2026-11-24T11:00:00.000Z',
        });
      }
      case 'postResult': {
        const { result, lastEvents = [] } = body as RequestOf<'postResult'>;
        if (!this.results.has(leaseId)) {
          if (lastEvents.length > 0) this.#store(leaseId, { events: lastEvents });
          this.results.set(leaseId, result);
        }
        return json({ status: this.results.get(leaseId)?.status });
      }
      case 'redeemCode':
      case 'redeemManagedCode':
        return this.#redeem(name, body as RequestOf<'redeemCode'>);
      case 'claimCredentials':
        return this.#claim(body as RequestOf<'claimCredentials'>);
      case 'enrol':
        return json({ ...this.#about(runnerId), ...this.#issued(runnerId) });
      case 'rotateCredentials': {
        const keyid = this.keyOf(runnerId, this.generation + 1).keyid;
        const { publicKey } = body as RequestOf<'rotateCredentials'>;
        const { secret } = this.keyOf(runnerId, this.generation + 1);
        const wrappedKey = this.wrap === null ? wrapKey(secret, publicKey, keyid) : this.wrap(publicKey);
        return json({ ...this.#issued(runnerId, this.generation + 1), wrappedKey });
      }
      case 'runnerSelf':
        return json({ ...this.#about(runnerId), ...this.#life(1), generation: 1, draining: this.isDraining });
      case 'health':
        return { status: 200, type: 'text/plain', body: 'ok\n', isSigned: false };
      case 'retireSelf':
      case 'releaseLease':
        return json({ done: true });
      default:
        return problemAnswer('not_found');
    }
  }

  async #poll({ slots, waitMs }: RequestOf<'pollLeases'>, isGone: AbortSignal): Promise<Lease[]> {
    if (this.#queue.length === 0) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          this.#pollers.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, waitMs);
        this.#pollers.add(wake);
        isGone.addEventListener('abort', wake, { once: true });
      });
    }
    return isGone.aborted ? [] : this.#queue.splice(0, slots);
  }

  #store(leaseId: string, { events }: Pick<RequestOf<'postEvents'>, 'events'>): number {
    const stored = this.events.get(leaseId) ?? [];
    this.events.set(leaseId, stored);
    for (const event of events) if (event.seq === stored.length + 1) stored.push(event);
    return stored.length;
  }

  #redeem(name: RouteName, body: RequestOf<'redeemCode'>): FakeAnswer {
    const code = this.codes.get(body.code);
    if (code === undefined || (code.managed === true) !== (name === 'redeemManagedCode')) {
      return problemAnswer('pairing_code_refused');
    }
    this.codes.delete(body.code);
    const runnerId = randomUUID();
    this.#claims.set(runnerId, { code, publicKey: body.publicKey, round: 0 });
    return json({
      runnerId,
      claimToken: 'a'.repeat(43),
      checkWord: checkWord(runnerId, body.publicKey),
      workspace: 'default',
      pollAfterMs: 5,
      expiresAt: new Date(this.nowMs() + 300_000).toISOString(),
    });
  }

  #claim({ runnerId }: RequestOf<'claimCredentials'>): FakeAnswer {
    const claim = this.#claims.get(runnerId);
    if (claim === undefined) return problemAnswer('not_found');
    const { claims, extra = {}, apiBaseUrl = this.url } = claim.code;
    const state = claims[Math.min(claim.round, claims.length - 1)];
    claim.round += 1;
    if (state === 'pending') return json({ state, pollAfterMs: 5 });
    if (state !== 'approved') return problemAnswer(state ?? 'internal');
    const { secret, keyid } = this.keyOf(runnerId, 1);
    const wrappedKey = wrapKey(secret, claim.publicKey, keyid);
    return json({
      state,
      apiBaseUrl,
      ...this.#about(runnerId),
      ...this.#issued(runnerId),
      wrappedKey,
      ...extra,
    });
  }

  #about(runnerId: string) {
    return { runnerId, name: 'the runner', workspace: 'default', labels: ['gpu'], mode: 'self-hosted' };
  }

  #issued(runnerId: string, generation = 1) {
    return { keyid: this.keyOf(runnerId, generation).keyid, ...this.#life(generation) };
  }

  #life(generation: number) {
    const beginMs = Date.parse('2026-11-01T00:00:00.000Z');
    return {
      generation,
      notBefore: new Date(beginMs).toISOString(),
      notAfter: new Date(beginMs + generation * 90 * 86_400_000).toISOString(),
    };
  }

  #runnerOf({ keyid }: Received): string {
    const key = keyid === null ? null : parseKeyid(keyid);
    return key === null || key.kind === 'managed' ? '' : key.runnerId;
  }

  #keysNamed(keyid: string): SigningKey[] {
    const name = parseKeyid(keyid);
    if (name === null || this.unknown.has(keyid)) return [];
    return [{ keyid, secret: deriveKey(name.kind === 'managed' ? managedSecret : workerSecret, name) }];
  }

  #openStream(response: ServerResponse): void {
    this.controlStreams += 1;
    this.#streams.add(response);
    response.on('close', () => this.#streams.delete(response));
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(': hello\n\n');
    this.#look();
  }

  #answer(
    response: ServerResponse,
    { status, type, body, headers = {}, isSigned = true }: FakeAnswer,
    key: SigningKey | null,
    request: RequestMessage,
  ): void {
    const bytes = Buffer.from(body);
    const own = { ...headers, 'content-type': type };
    const signature =
      isSigned && key !== null
        ? signResponse({ status, headers: own, body: bytes }, request, key, this.nowMs())
        : {};
    response.writeHead(status, { ...own, ...signature, 'content-length': String(bytes.length) });
    response.end(bytes);
  }

  #look(): void {
    for (const look of [...this.#watchers]) look();
  }
}

/** The shortest flow that is valid. */
const waitFlow: Lease['flow'] = {
  nodes: [
    { id: 's', type: 'start' },
    { id: 'w', type: 'wait', data: { ms: 1 } },
  ],
  edges: [{ source: 's', target: 'w' }],
};

function json(body: unknown): FakeAnswer {
  return { status: 200, type: 'application/json', body: JSON.stringify(body) };
}

function problemAnswer(code: ProblemCode, serverTime?: string, detail?: string): FakeAnswer {
  const body = problemBody(code, {
    ...(serverTime === undefined ? {} : { serverTime }),
    ...(detail === undefined ? {} : { detail }),
  });
  return { status: body.status, type: 'application/problem+json', body: JSON.stringify(body) };
}

function scripted(script: Exclude<Script, string>): FakeAnswer {
  if ('raw' in script) return { isSigned: false, ...script.raw };
  const isSigned = script.isSigned ?? true;
  if ('json' in script) return { ...json(script.json), isSigned };
  const answer = problemAnswer(script.problem, script.serverTime);
  return { ...answer, isSigned, ...(script.headers === undefined ? {} : { headers: script.headers }) };
}

function matchRoute(
  method: string,
  path: string,
): { name: RouteName; params: Record<string, string> } | null {
  for (const name of Object.keys(routes) as RouteName[]) {
    const route: Route = routes[name];
    const pattern = new RegExp(`^${route.path.replace(/:(\w+)/g, '(?<$1>[^/]+)').replace('*', '.*')}$`);
    const match = pattern.exec(path);
    if (route.method === method && match !== null) return { name, params: { ...match.groups } };
  }
  return null;
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}
