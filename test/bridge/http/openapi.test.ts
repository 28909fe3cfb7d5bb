import { describe, expect, it } from 'vitest';
import { openapi } from '../../../src/bridge/http/openapi.ts';
import { problems } from '../../../src/protocol/problem.ts';
import { problemsOf } from '../../../src/protocol/route-problems.ts';
import { type Route, type RouteName, routes } from '../../../src/protocol/routes.ts';

type Operation = {
  operationId: string;
  requestBody?: object;
  parameters?: { name: string; in: string }[];
  security: object[];
  responses: Record<string, { description: string }>;
};

describe('/openapi.json', () => {
  const document = openapi('https://bridge.example.com') as {
    paths: Record<string, Record<string, Operation>>;
  };
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, ...operation })),
  );

  it('has every route of the table once', () => {
    expect(operations.map(({ operationId }) => operationId).sort()).toEqual(Object.keys(routes).sort());
  });

  it.each(Object.keys(routes) as RouteName[])('says of %s what it takes and answers', (name) => {
    const route: Route = routes[name];
    const operation = operations.find(({ operationId }) => operationId === name);
    expect(operation?.method).toBe(route.method.toLowerCase());
    expect(operation?.requestBody !== undefined).toBe(
      route.request !== undefined || route.auth === 'presigned',
    );
    expect(operation?.security).toEqual(
      route.auth === 'none'
        ? []
        : route.auth === 'operator-or-near'
          ? [{ operator: [] }, {}]
          : [{ [route.auth]: [] }],
    );
    expect(operation?.parameters?.filter((parameter) => parameter.in === 'path').length ?? 0).toBe(
      route.path.match(/[:*]/g)?.length ?? 0,
    );
    for (const code of problemsOf(name)) {
      expect(operation?.responses[problems[code].status]?.description).toContain(`\`${code}\``);
    }
  });

  it('describes bodies in depth', () => {
    const submit = operations.find(({ operationId }) => operationId === 'submitRun');
    expect(JSON.stringify(submit?.requestBody)).toMatch(
      /"nodes".*"onRedelivery".*"additionalProperties":false/,
    );
    expect(JSON.stringify(document)).not.toContain('$schema');
  });
});
