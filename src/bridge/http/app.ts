import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { systemErrorCode } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { artifactTypes } from '../../protocol/messages.ts';
import { bodyLimitOf, type Route, type RouteName, routes } from '../../protocol/routes.ts';
import type { RequestMessage, SigningKey } from '../../protocol/signing.ts';
import { withoutStatement } from '../db/database.ts';
import type { Outages } from '../outages.ts';
import { ProblemError } from '../problem-error.ts';
import { type Answer, contentAnswer, jsonAnswer, problemAnswer, signedAnswer } from './answer.ts';
import { type AuthDeps, authenticate } from './authenticate.ts';
import type { EventStreams } from './event-stream.ts';
import type { Content, EventStream, Handlers } from './handler.ts';
import { nearness } from './near.ts';
import { readInput } from './read-input.ts';

/** What the HTTP side needs besides its handlers. */
export interface AppDeps {
  auth: AuthDeps;
  streams: EventStreams;
  outages: Outages;
  log: Log;
  /** Addresses of proxies whose X-Forwarded-For is believed. */
  trustedProxies: readonly string[];
}

/** The HTTP server: one Fastify route for each line of the table, its handler behind the same checks. Not yet listening. */
export function createApp(deps: AppDeps, handlers: Handlers): FastifyInstance {
  const app = Fastify({
    logger: false,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    // Longer than any poll and than the idle time of load balancers, which otherwise reuse a socket just closed.
    keepAliveTimeout: 72_000,
    // For receiving a request, not for answering it: polls wait longer, a body must not drip for ever.
    requestTimeout: 60_000,
    trustProxy: deps.trustedProxies.length === 0 ? false : [...deps.trustedProxies],
    routerOptions: { maxParamLength: 500 },
    frameworkErrors: (error, request, reply) => void refuseEarly(deps, error, request, reply),
  });
  app.removeAllContentTypeParsers();
  for (const type of ['application/json', ...artifactTypes]) {
    app.addContentTypeParser(type, { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  }
  const names = Object.keys(routes) as RouteName[];
  const checked: ServeDeps = { ...deps, isNear: nearness(deps.trustedProxies) };
  for (const name of names) {
    // Each handler takes what the checks for its own route give; the loop cannot follow that.
    const handler = handlers[name] as unknown as AnyHandler;
    app.route({
      method: routes[name].method,
      url: routes[name].path,
      bodyLimit: bodyLimitOf(name),
      config: { name },
      handler: (request, reply) => serve(checked, name, handler, request, reply),
    });
  }
  app.setErrorHandler((error, request, reply) => refuseEarly(deps, error, request, reply));
  app.setNotFoundHandler((request, reply) => {
    const allowed = names.filter((name) => fits(routes[name], pathOf(request)));
    if (allowed.length === 0) {
      return write(
        reply,
        problemAnswer(new ProblemError('not_found', { detail: 'there is no such address' })),
      );
    }
    const answer = problemAnswer(new ProblemError('method_not_allowed'));
    const methods = [...new Set(allowed.map((name) => routes[name].method))].join(', ');
    return write(reply, { ...answer, headers: { ...answer.headers, allow: methods } });
  });
  return app;
}

type AnyHandler = (input: object) => Promise<unknown>;

type ServeDeps = AppDeps & { isNear: (request: FastifyRequest) => boolean };

async function serve(
  deps: ServeDeps,
  name: RouteName,
  handler: AnyHandler,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const startedAtMs = performance.now();
  const route: Route = routes[name];
  const message = messageOf(deps, request, bodyOf(request));
  const signing: { key: SigningKey | null } = { key: null };
  const gone = new AbortController();
  const onClose = (): void => {
    if (!reply.raw.writableFinished) gone.abort();
  };
  reply.raw.on('close', onClose);
  let answer: Answer;
  try {
    const access = { ...route, auth: authOf(deps, route, request) };
    const { caller } = await authenticate(deps.auth, access, message, (key) => {
      signing.key = key;
    });
    const raw = {
      query: new URLSearchParams(request.raw.url?.split('?')[1] ?? ''),
      contentType: request.headers['content-type'],
      lastEventId: headerOf(request, 'last-event-id'),
      traceParent: headerOf(request, 'traceparent'),
      bytes: message.body ?? new Uint8Array(),
    };
    if (route.request !== undefined && !/^application\/json *(;|$)/i.test(raw.contentType ?? '')) {
      throw new ProblemError('unsupported_media_type');
    }
    const params = request.params as Record<string, string>;
    const input = {
      ...readInput(route, { body: message.body, query: raw.query, params }),
      params,
      caller,
      raw,
    };
    const result = await handler({ ...input, ip: request.ip, gone: gone.signal });
    if (route.response === 'events') return await serveStream(deps, result as EventStream, reply);
    answer =
      route.response === 'bytes' || route.response === 'text'
        ? contentAnswer(result as Content)
        : jsonAnswer(result);
  } catch (error) {
    answer = problemAnswer(problemOf(deps, name, error));
  }
  if (signing.key !== null) answer = signedAnswer(answer, message, signing.key, deps.auth.nowMs());
  deps.log.debug('request', {
    route: name,
    status: answer.status,
    ms: Math.round((performance.now() - startedAtMs) * 10) / 10,
    bytes: answer.body.length,
    ...(signing.key === null ? {} : { key: signing.key.keyid }),
  });
  return write(reply, answer);
}

// A token that was given is checked also from near: a wrong one is a mistake to be told.
function authOf({ isNear }: ServeDeps, { auth }: Route, request: FastifyRequest) {
  if (auth !== 'operator-or-near') return auth;
  return request.headers.authorization === undefined && isNear(request) ? 'none' : 'operator';
}

async function serveStream(deps: AppDeps, stream: EventStream, reply: FastifyReply): Promise<unknown> {
  if (stream === null) return reply.code(204).header('cache-control', 'no-store, no-transform').send();
  reply.hijack();
  try {
    await deps.streams.serve(reply.raw, stream);
  } catch (error) {
    // The head is out, so there is no other answer than the end; the peer comes back with Last-Event-ID.
    if (!deps.outages.note(error)) deps.log.error('event stream failed', { error });
  }
  return reply;
}

/** What went wrong before the handler was reached: a body that is too large or of another type, a broken URL. */
async function refuseEarly(
  deps: AppDeps,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const name = (request.routeOptions.config as { name?: RouteName } | undefined)?.name;
  const code = systemErrorCode(error);
  const problem =
    code === 'FST_ERR_CTP_BODY_TOO_LARGE'
      ? new ProblemError(
          'body_too_large',
          name === undefined ? {} : { detail: `this route takes ${bodyLimitOf(name)} bytes` },
        )
      : code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE'
        ? new ProblemError('unsupported_media_type')
        : code?.startsWith('FST_ERR_') === true
          ? new ProblemError('malformed_request', { detail: error instanceof Error ? error.message : '' })
          : problemOf(deps, name ?? 'health', error);
  const answer = problemAnswer(problem);
  // The HMAC covers the digest of the body, not the body, so a sender is known without it and may trust the refusal.
  const message = messageOf(deps, request, new Uint8Array());
  const key = name === undefined ? null : await authenticKey(deps, routes[name], message);
  return write(reply, key === null ? answer : signedAnswer(answer, message, key, deps.auth.nowMs()));
}

async function authenticKey(
  deps: AppDeps,
  route: Route,
  message: RequestMessage,
): Promise<SigningKey | null> {
  if (route.auth !== 'runner' && route.auth !== 'enrol' && route.auth !== 'managed') return null;
  let key: SigningKey | null = null;
  try {
    await authenticate(deps.auth, { ...route, auth: route.auth }, message, (found) => {
      key = found;
    });
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
  }
  return key;
}

function problemOf(deps: AppDeps, route: RouteName, error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  if (deps.outages.note(error)) {
    return new ProblemError(
      'unavailable',
      { detail: 'a server that this bridge needs does not answer' },
      2_000,
    );
  }
  deps.log.error('request failed', {
    route,
    error: stackOf(withoutStatement(error)),
  });
  return new ProblemError('internal');
}

// A bug is told with its stack.
function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function messageOf(deps: AppDeps, request: FastifyRequest, body: Uint8Array | null): RequestMessage {
  return {
    method: request.method,
    url: deps.auth.publicUrl() + (request.raw.url ?? '/'),
    headers: {
      'content-type': request.headers['content-type'],
      authorization: request.headers.authorization,
      ...Object.fromEntries(
        ['content-digest', 'signature-input', 'signature'].map((header) => [
          header,
          headerOf(request, header),
        ]),
      ),
    },
    body,
  };
}

function headerOf(request: FastifyRequest, header: string): string | undefined {
  const value = request.headers[header];
  return Array.isArray(value) ? value.join(', ') : value;
}

function bodyOf(request: FastifyRequest): Uint8Array | null {
  return request.body instanceof Uint8Array && request.body.length > 0 ? request.body : null;
}

function pathOf(request: FastifyRequest): string {
  return request.raw.url?.split('?')[0] ?? '/';
}

function fits(route: Route, path: string): boolean {
  const pattern = route.path.replace(/:\w+/g, '[^/]+').replace('*', '.+').replaceAll('.json', '\\.json');
  return new RegExp(`^${pattern}$`).test(path);
}

function write(reply: FastifyReply, { status, headers, body }: Answer): unknown {
  return reply.code(status).headers(headers).send(body);
}
