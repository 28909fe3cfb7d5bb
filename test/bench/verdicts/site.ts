import { createServer } from 'node:http';
import { pages } from './pages.ts';

/** The pages that the recordings of the comparison are about, on loopback. What a form sends is told on `/sent`. */
export async function startVerdictSite(): Promise<{ url: string; close(): void }> {
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const page = pathname === '/sent' ? sentPage(searchParams) : pages[pathname.slice(1) || 'index'];
    response.writeHead(page === undefined ? 404 : 200, {
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

function sentPage(sent: URLSearchParams): string {
  const rows = [...sent].map(([name, value]) => `<dt>${escaped(name)}</dt><dd>${escaped(value)}</dd>`);
  return `<!doctype html><html lang="en"><head><title>Sent</title><link rel="icon" href="data:,"></head><body>
<h1>Thank you</h1><dl>${rows.join('')}</dl></body></html>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
