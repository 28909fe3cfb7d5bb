import * as z from 'zod';
import { version } from '../../lib/version.ts';
import { type ProblemCode, problemSchema, problems } from '../../protocol/problem.ts';
import { problemsOf } from '../../protocol/route-problems.ts';
import { type Route, type RouteAuth, type RouteName, routes } from '../../protocol/routes.ts';

type Json = Record<string, unknown>;

/** The route table as an OpenAPI 3.1 document for the bridge at `serverUrl`. */
export function openapi(serverUrl: string): Json {
  const paths: Record<string, Json> = {};
  for (const name of Object.keys(routes) as RouteName[]) {
    const route: Route = routes[name];
    const path = route.path.replace(/:(\w+)/g, '{$1}').replace('*', '{key}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(name, route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'qualinet-bridge',
      version,
      description:
        'Requests of runners are signed with HTTP Message Signatures (RFC 9421), see the security schemes. Errors are application/problem+json; `code` says which.',
    },
    servers: [{ url: serverUrl }],
    paths,
    components: {
      schemas: { Problem: schemaOf(problemSchema, 'output') },
      securitySchemes: {
        operator: { type: 'http', scheme: 'bearer', description: 'QUALINET_ADMIN_TOKEN' },
        runner: signature("a runner's key, keyid rk1.<runnerId>.<generation>"),
        enrol: signature('the enrolment key of WORKER_SECRET, keyid ws1.<runnerId>'),
        managed: signature('the key of QUALINET_MANAGED_PAIR_SECRET, keyid mp1'),
        presigned: {
          type: 'apiKey',
          in: 'query',
          name: 'signature',
          description: 'the URL was signed by the bridge',
        },
      },
    },
  };
}

function operation(name: RouteName, route: Route): Json {
  const parameters = [...pathParameters(route), ...queryParameters(route)];
  return {
    operationId: name,
    summary: route.summary,
    security: securityOf(route.auth),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.request === undefined
      ? {}
      : { requestBody: { required: true, content: json(schemaOf(route.request, 'input')) } }),
    ...(route.auth === 'presigned' ? { requestBody: { required: true, content: { 'image/*': {} } } } : {}),
    responses: { 200: success(route), ...failures(problemsOf(name)) },
  };
}

function pathParameters({ path }: Route): Json[] {
  return [...path.matchAll(/:(\w+)|\*/g)].map(([, name]) => ({
    name: name ?? 'key',
    in: 'path',
    required: true,
    schema: name === undefined ? { type: 'string' } : { type: 'string', format: 'uuid' },
  }));
}

function queryParameters({ query }: Route): Json[] {
  if (query === undefined) return [];
  const { properties = {}, required = [] } = schemaOf(query, 'input') as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema,
  }));
}

function success({ response }: Route): Json {
  if (response === 'events') return { description: 'An event stream', content: { 'text/event-stream': {} } };
  if (response === 'bytes') return { description: 'A picture', content: { 'image/*': {} } };
  if (response === 'text') return { description: 'Text', content: { 'text/plain': {} } };
  return { description: 'Done', content: json(schemaOf(response, 'output')) };
}

/** One response for each status; its description names the codes that come with it. */
function failures(codes: readonly ProblemCode[]): Record<string, Json> {
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of codes) {
    const { status } = problems[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, those]) => [
      status,
      {
        description: those.map((code) => `\`${code}\`: ${problems[code].title}`).join('; '),
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    ]),
  );
}

function securityOf(auth: RouteAuth): Json[] {
  if (auth === 'none') return [];
  // The empty one: no token is needed from near.
  return auth === 'operator-or-near' ? [{ operator: [] }, {}] : [{ [auth]: [] }];
}

function signature(which: string): Json {
  return {
    type: 'apiKey',
    in: 'header',
    name: 'Signature',
    description: `RFC 9421 signature (profile qualinet-v1, hmac-sha256, label q) with ${which}`,
  };
}

function json(schema: Json): Json {
  return { 'application/json': { schema } };
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}
