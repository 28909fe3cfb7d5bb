import { HttpResponse, http } from 'msw';
import { setupServer } from 'msw/node';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { callBridge } from '../../../src/bridge/cli/operator-client.ts';
import {
  BridgeUnavailableError,
  EnvironmentError,
  RefusedError,
  UsageError,
} from '../../../src/lib/errors.ts';
import { Secret } from '../../../src/lib/secret.ts';
import { problemBody } from '../../../src/protocol/problem.ts';

// Answers no bridge gives, but proxies, portals and wrong addresses do.

const url = 'http://bridge.test';
const server = setupServer();
beforeAll(() => server.listen({ onUnhandledRequest: 'error' }));
afterEach(() => server.resetHandlers());
afterAll(() => server.close());

function answering(answer: () => Response) {
  server.use(http.get(`${url}/v1/runners`, answer));
  return callBridge({ url, token: new Secret('t') }, 'listRunners');
}

describe('an operator command', () => {
  it('takes the answer of its route', async () => {
    expect(await answering(() => HttpResponse.json({ runners: [] }))).toEqual({ runners: [] });
  });

  it.each<[string, () => Response]>([
    ['a login page with status 200', () => HttpResponse.html('<h1>Sign in</h1>')],
    ['JSON of something else', () => HttpResponse.json({ hello: 'world' })],
    ['an empty answer', () => new HttpResponse(null, { status: 200 })],
    ['an error page of a proxy', () => HttpResponse.html('<h1>Bad gateway</h1>', { status: 502 })],
    ['JSON that breaks off', () => new HttpResponse('{"runners": [', { status: 200 })],
    ['a redirect', () => HttpResponse.redirect(`${url}/login`)],
    ['a connection that fails', () => HttpResponse.error() as unknown as Response],
  ])('is not taken in by %s', async (_, answer) => {
    await expect(answering(answer)).rejects.toThrow(BridgeUnavailableError);
  });

  it.each([
    ['token_refused', EnvironmentError, 'QUALINET_ADMIN_TOKEN'],
    ['not_found', UsageError, ''],
    ['unavailable', RefusedError, ''],
  ] as const)('tells %s as what to do about it', async (code, kind, hint) => {
    const call = answering(() =>
      HttpResponse.json(problemBody(code), {
        status: 400,
        headers: { 'content-type': 'application/problem+json' },
      }),
    );
    await expect(call).rejects.toThrow(kind);
    await call.catch((error: { hint?: string }) => expect(error.hint ?? '').toContain(hint));
  });
});
