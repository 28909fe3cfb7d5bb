import ky from 'ky';
import { abortScope } from '../../lib/abort-scope.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import { limits } from '../../protocol/limits.ts';
import {
  type RequestOf,
  type ResponseOf,
  type Route,
  type RouteAuth,
  type RouteName,
  routePath,
  routes,
} from '../../protocol/routes.ts';
import { type RequestMessage, type SigningKey, signRequest, verifyResponse } from '../../protocol/signing.ts';
import { type Answer, judgeAnswer } from './bridge-answer.ts';
import { isNetworkFailure, NoAnswerError, networkError } from './bridge-errors.ts';
import type { KeyRing } from './key-ring.ts';
import { readBody, type Transport } from './transport.ts';

/** One call of a route. */
interface Call<Name extends RouteName> {
  params?: Readonly<Record<string, string>>;
  body?: RequestOf<Name>;
  signal?: AbortSignal | undefined;
  /** Signs with this key and no other. */
  key?: SigningKey;
  /** The whole exchange, default 30 s. */
  timeoutMs?: number;
  /** Longest answer taken, default 4 MiB. */
  maxAnswerBytes?: number;
}

/** The bridge as the runner sees it, made from the route table. */
export interface BridgeClient {
  readonly apiBaseUrl: string;
  /**
   * Sends one request and gives the checked body of its answer. Throws NoAnswerError where trying again may help,
   * LeaseLostError, CredentialsRejectedError, UpgradeRequiredError, RefusedError, or the signal's reason.
   */
  call<Name extends RouteName>(name: Name, call?: Call<Name>): Promise<ResponseOf<Name>>;
  /** The bridge's wall clock as far as it is known: this machine's, corrected by the last signed answer that said it is wrong. */
  bridgeTimeMs(): number;
  /** Address and headers of a signed GET, for streams. */
  signedGet(name: RouteName): { url: string; headers: Record<string, string> };
}

export interface BridgeClientDeps {
  apiBaseUrl: string;
  keys: KeyRing;
  transport: Transport;
  clock: Clock;
  log: Log;
  version: string;
}

const defaultTimeoutMs = 30_000;
const defaultAnswerBytes = 4 * limits.flowBytes;
/** A clock that is off by more than this is worth a warning. */
const worthTellingMs = 30_000;

/** Makes the client. It keeps the clocks' offset, which only a signed answer may change. */
export function createBridgeClient(deps: BridgeClientDeps): BridgeClient {
  const { apiBaseUrl, clock, keys, log, transport, version } = deps;
  const userAgent = `qualinet/${version}`;
  let offsetMs = 0;

  return { apiBaseUrl, call, bridgeTimeMs, signedGet };

  async function call<Name extends RouteName>(
    name: Name,
    request: Call<Name> = {},
  ): Promise<ResponseOf<Name>> {
    const { auth }: Route = routes[name];
    let key = auth === 'none' ? null : (request.key ?? requiredKey(auth));
    let again = true;
    const tried = new Set<SigningKey>();
    let refusal: Error | null = null;
    for (;;) {
      const answer = await exchange(name, request, key);
      const judgement = judgeAnswer(name, answer, bridgeTimeMs());
      if (key !== null && answer.isSigned && judgement.kind !== 'key-refused') keys.proved(key);
      switch (judgement.kind) {
        case 'body':
          if (key !== null && ordersRenewal(judgement.body)) keys.renewalOrdered(key);
          // The schema of exactly this route made it.
          return judgement.body as ResponseOf<Name>;
        case 'error':
          throw judgement.error;
        case 'key-refused': {
          if (key === null) throw judgement.error;
          keys.refused(key);
          tried.add(key);
          // Signed refusals of all keys end a runner; one that anybody could have said makes all of them doubtful.
          if (!(refusal instanceof NoAnswerError)) refusal = judgement.error;
          key = request.key === undefined ? keys.otherThan(tried) : null;
          if (key === null) throw refusal;
          log.debug('the bridge did not take a key of this runner; another one is tried', {
            keyid: key.keyid,
          });
          break;
        }
        case 'again':
          if (judgement.serverTime !== null) correctClock(judgement.serverTime);
          if (!again) throw judgement.error;
          again = false;
      }
    }
  }

  async function exchange<Name extends RouteName>(
    name: Name,
    request: Call<Name>,
    key: SigningKey | null,
  ): Promise<Answer> {
    const route: Route = routes[name];
    const url = `${apiBaseUrl}${routePath(name, request.params)}`;
    const timeoutMs = request.timeoutMs ?? defaultTimeoutMs;
    const scope = abortScope([request.signal], {
      clock,
      timeoutMs,
      reason: () => new NoAnswerError(`${apiBaseUrl} did not answer ${name} within ${timeoutMs / 1_000} s`),
    });
    let isSigned = false;
    try {
      // ky makes a Request of its own that undici cannot take: it is taken apart, signed and sent as bytes here.
      const response = await ky(url, {
        method: route.method,
        ...(request.body === undefined ? {} : { json: request.body }),
        headers: { accept: 'application/json' },
        retry: { limit: 0 },
        timeout: false,
        throwHttpErrors: false,
        fetch: async (input) => {
          const sent = await send(input as Request, key, request, scope.signal);
          isSigned = sent.isSigned;
          return sent.response;
        },
      });
      const body = new Uint8Array(await response.arrayBuffer());
      return { status: response.status, headers: response.headers, body, isSigned };
    } catch (error) {
      scope.signal.throwIfAborted();
      throw isNetworkFailure(error) ? networkError(apiBaseUrl, error, transport.proxyFor(apiBaseUrl)) : error;
    } finally {
      scope.close();
    }
  }

  async function send(
    input: Request,
    key: SigningKey | null,
    { maxAnswerBytes = defaultAnswerBytes }: { maxAnswerBytes?: number },
    signal: AbortSignal,
  ): Promise<{ response: Response; isSigned: boolean }> {
    const body = input.body === null ? null : new Uint8Array(await input.arrayBuffer());
    const headers: Record<string, string> = { ...Object.fromEntries(input.headers), ...ownHeaders() };
    const message: RequestMessage = { method: input.method, url: input.url, headers, body };
    if (key !== null) Object.assign(headers, signRequest(message, key, bridgeTimeMs()));
    const raw = await transport.send({ method: input.method, url: input.url, headers, body, signal });
    const bytes = await readBody(raw, maxAnswerBytes);
    // HTTP parsers let any three digits pass; what holds an answer here does not.
    if (raw.status < 200 || raw.status > 599)
      throw new NoAnswerError(`the answer has the status ${raw.status}`);
    const answer = { status: raw.status, headers: Object.fromEntries(raw.headers), body: bytes };
    const isSigned = key !== null && (await verifyResponse(answer, message, key));
    const hasBody = raw.status !== 204 && raw.status !== 205 && raw.status !== 304;
    const response = new Response(hasBody ? bytes : null, { status: raw.status, headers: answer.headers });
    return { response, isSigned };
  }

  function signedGet(name: RouteName): { url: string; headers: Record<string, string> } {
    const url = `${apiBaseUrl}${routePath(name)}`;
    const message: RequestMessage = { method: 'GET', url, headers: {}, body: null };
    const headers = signRequest(message, requiredKey(routes[name].auth), bridgeTimeMs());
    return { url, headers: { ...headers, ...ownHeaders() } };
  }

  // A compressed answer would not fit its digest any more once it is unpacked.
  function ownHeaders(): Record<string, string> {
    return { 'user-agent': userAgent, 'accept-encoding': 'identity' };
  }

  function requiredKey(auth: RouteAuth): SigningKey {
    const key = keys.keyFor(auth);
    if (key === null) throw new Error(`there is no key for ${auth} routes`);
    return key;
  }

  function bridgeTimeMs(): number {
    return clock.nowMs() + offsetMs;
  }

  function correctClock(serverTime: string): void {
    const serverMs = Date.parse(serverTime);
    if (Number.isNaN(serverMs)) return;
    offsetMs = serverMs - clock.nowMs();
    if (Math.abs(offsetMs) > worthTellingMs) {
      log.warn(
        `the clock of this machine is ${Math.round(Math.abs(offsetMs) / 1_000)} s ${offsetMs > 0 ? 'behind' : 'ahead of'} the bridge's; signing with the bridge's time`,
        { offsetMs: Math.round(offsetMs) },
      );
    }
  }
}

// Polls and heartbeats bring orders back; this one is about the key that they were signed with.
function ordersRenewal(body: unknown): boolean {
  const orders: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, 'orders') : null;
  return Array.isArray(orders) && orders.includes('rotate');
}
