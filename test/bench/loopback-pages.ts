import { createServer } from 'node:http';

/** Pages of a benchmark on loopback; nothing of them is kept in a cache. Null for an address that has none. */
export async function servePages(
  pageAt: (url: URL) => string | null,
): Promise<{ url: string; close(): void }> {
  const server = createServer((request, response) => {
    const page = pageAt(new URL(request.url ?? '/', 'http://localhost'));
    response.writeHead(page === null ? 404 : 200, {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
    });
    response.end(page ?? '<!doctype html><title>Nothing here</title><h1>Nothing here</h1>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
