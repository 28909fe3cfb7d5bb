import { servePages } from '../loopback-pages.ts';
import { pages } from './pages.ts';

/** The pages that the recordings of the comparison are about, on loopback. What a form sends is told on `/sent`. */
export function startVerdictSite(): Promise<{ url: string; close(): void }> {
  return servePages(({ pathname, searchParams }) =>
    pathname === '/sent' ? sentPage(searchParams) : (pages[pathname.slice(1) || 'index'] ?? null),
  );
}

function sentPage(sent: URLSearchParams): string {
  const rows = [...sent].map(([name, value]) => `<dt>${escaped(name)}</dt><dd>${escaped(value)}</dd>`);
  return `<!doctype html><html lang="en"><head><title>Sent</title><link rel="icon" href="data:,"></head><body>
<h1>Thank you</h1><dl>${rows.join('')}</dl></body></html>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
