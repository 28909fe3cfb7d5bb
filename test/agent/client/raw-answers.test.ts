import { createServer, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createBridgeClient } from '../../../src/agent/client/bridge-client.ts';
import { NoAnswerError } from '../../../src/agent/client/bridge-errors.ts';
import { routes } from '../../../src/protocol/routes.ts';
import { contentDigest } from '../../../src/protocol/signing.ts';
import { type Fixture, fixture } from '../agent-fixture.ts';

/** Answers every request with these bytes and ends the connection; what a broken proxy may do. */
async function answering({ transport, identity, clock, log }: Fixture, bytes: string | Buffer) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', () => socket.end(bytes));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as { port: number };
  return createBridgeClient({
    apiBaseUrl: `http://127.0.0.1:${port}`,
    keys: identity,
    transport,
    clock,
    log,
    version: '1.2.3',
  });
}

const head = (status: string, ...headers: string[]) =>
  [`HTTP/1.1 ${status}`, 'content-type: application/json', ...headers, '', ''].join('\r\n');
const half = gzipSync(Buffer.from('{"done":true}'.repeat(500))).subarray(0, 40);

describe('whatever comes back is no answer, and nothing that ends a runner:', () => {
  it.each<[string, string | Buffer]>([
    ['nothing', ''],
    ['no HTTP', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['a status that is none', `${head('999 What', 'content-length: 2')}{}`],
    ['a status below 200', head('101 Switching Protocols', 'upgrade: websocket', 'connection: upgrade')],
    ['a status of 199', head('199 Odd')],
    ['a status of 600', `${head('600 Odd', 'content-length: 2')}{}`],
    ['half an answer with a length', `${head('200 OK', 'content-length: 500')}{"done"`],
    ['half an answer in chunks', `${head('200 OK', 'transfer-encoding: chunked')}50\r\n{"done"`],
    ['half a header', 'HTTP/1.1 200 OK\r\ncontent-ty'],
    ['a chunk that is none', `${head('200 OK', 'transfer-encoding: chunked')}zz\r\n{"done"`],
    ['what is not packed as it says', `${head('200 OK', 'content-encoding: gzip', 'content-length: 2')}{}`],
    ['what is packed and cut', Buffer.concat([Buffer.from(head('200 OK', 'content-encoding: gzip')), half])],
    ['bytes of no alphabet in a header', `${head('200 OK', 'x-odd: \xff\xfe', 'content-length: 2')}{}`],
    ['a redirect to nowhere', head('302 Found', 'location: http://[', 'content-length: 0')],
    ['an empty 204', head('204 No Content')],
    ['a 304', head('304 Not Modified')],
    ['a 205 with a body', `${head('205 Reset', 'content-length: 2')}{}`],
    ['two lengths', `${head('200 OK', 'content-length: 2', 'content-length: 3')}{}`],
    ['a header without an end', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}`],
    [
      'a digest that is another one, beside a signature',
      `${head(
        '200 OK',
        `content-digest: ${contentDigest(Buffer.from('x'))}`,
        'signature-input: q=("@status");created=1',
        'signature: q=:AA==:',
        'content-length: 2',
      )}{}`,
    ],
  ])('%s', async (_, bytes) => {
    const client = await answering(
      await fixture(),
      typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes,
    );
    const error = await client.call('runnerSelf').catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(NoAnswerError);
  });

  it('a page to log in, with 200, to every route of a runner', async () => {
    const page = `HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<form>`;
    const client = await answering(await fixture(), page);
    const id = '11111111-1111-4111-8111-111111111111';
    for (const name of [
      'pollLeases',
      'heartbeat',
      'postEvents',
      'postResult',
      'requestUpload',
      'releaseLease',
      'rotateCredentials',
      'runnerSelf',
      'retireSelf',
    ] as const) {
      expect(routes[name].auth).toBe('runner');
      const error = await client
        .call(name, { params: { leaseId: id }, ...(name.startsWith('runner') ? {} : { body: {} as never }) })
        .catch((caught: unknown) => caught);
      expect(error, name).toBeInstanceOf(NoAnswerError);
      expect(String(error)).toContain('not signed');
    }
  });

  it('a problem as long as a book is told in a line', async () => {
    const body = JSON.stringify({
      type: 'x',
      title: 'T'.repeat(1_000_000),
      status: 401,
      code: 'unknown_key',
      detail: 'd'.repeat(1_000_000),
    });
    const bytes = `HTTP/1.1 401 No\r\ncontent-type: application/problem+json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
    const error = await (await answering(await fixture(), bytes))
      .call('runnerSelf')
      .catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(NoAnswerError);
    expect(String(error).length).toBeLessThan(2_000);
    expect(String(error)).toContain('unknown_key');
  });
});
