import { createServer, type ServerResponse } from 'node:http';

/** A site of a test's own, on loopback. */
export interface Site {
  url: string;
  /** Paths that were asked for, in order, queries included. */
  requests: string[];
  close(): Promise<void>;
}

/** What a path answers: a page's body, or whatever it does with the response (nothing at all: it never answers). */
export type Page = string | ((response: ServerResponse, url: URL) => void);

/** Serves `pages` by path. A text is the body of an HTML page; other paths are answered with 404. */
export async function startSite(pages: Readonly<Record<string, Page>>, address = '127.0.0.1'): Promise<Site> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://site');
    if (url.pathname === '/favicon.ico') return void response.writeHead(204).end();
    requests.push(`${url.pathname}${url.search}`);
    const page = pages[url.pathname];
    if (page === undefined) return html(response, '<h1>Not here</h1>', 404);
    if (typeof page === 'string') return html(response, page);
    page(response, url);
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('the site listens on no port');
  return {
    url: `http://${address}:${bound.port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Answers with an HTML page of this body. */
export function html(response: ServerResponse, body: string, status = 200): void {
  response
    .writeHead(status, { 'content-type': 'text/html; charset=utf-8' })
    .end(`<!doctype html><meta charset="utf-8"><title>test</title><body>${body}</body>`);
}
