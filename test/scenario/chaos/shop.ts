import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';

/** Something an attempt did, as the site saw it. */
interface ShopAct {
  /** What the flow called its run. */
  readonly run: string;
  /** The cookie the attempt got with its first page: each attempt has a fresh context. */
  readonly attempt: string;
  /** `open`, or what was done on the page. */
  readonly what: string;
  readonly atMs: number;
}

/** The tested site: it recognises each attempt of each run and keeps who did what, in order. */
export interface Shop {
  readonly url: string;
  readonly acts: readonly ShopAct[];
  /** Attempts of a run in the order in which they came. */
  attemptsOf(run: string): string[];
  close(): Promise<void>;
}

/** Starts the shop on a free loopback port. */
export async function startShop(): Promise<Shop> {
  const acts: ShopAct[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://shop');
    if (url.pathname === '/favicon.ico') return void response.writeHead(204).end();
    const run = url.searchParams.get('run') ?? '';
    const known = /attempt=([0-9a-f-]+)/.exec(request.headers.cookie ?? '')?.[1];
    const attempt = known ?? randomUUID();
    const note = (what: string): number => acts.push({ run, attempt, what, atMs: performance.now() });
    if (url.pathname === '/act') {
      note(known === undefined ? 'act of a stranger' : (url.searchParams.get('do') ?? ''));
      request.resume();
      return void response.writeHead(200, { 'content-type': 'text/plain' }).end('done');
    }
    note('open');
    response
      .writeHead(200, { 'content-type': 'text/html', 'set-cookie': `attempt=${attempt}; Path=/` })
      .end(page);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the shop listens on no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    acts,
    attemptsOf: (run) => [...new Set(acts.filter((act) => act.run === run).map(({ attempt }) => attempt))],
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

// Every key and every click is told to the server, so that nothing on the page goes unseen.
const page = `<!doctype html><meta charset="utf-8"><title>Shop</title><h1>Shop</h1>
<input id="name"><input id="password" type="password"><button id="add">Add</button><button id="buy">Buy</button>
<output id="basket">0</output><p id="done"></p>
<script>
  const run = new URLSearchParams(location.search).get('run');
  const tell = (what) => fetch('/act?run=' + run + '&do=' + what, { method: 'POST', keepalive: true });
  let basket = 0;
  document.querySelector('#name').addEventListener('input', () => tell('type'));
  document.querySelector('#password').addEventListener('input', () => tell('secret'));
  document.querySelector('#add').addEventListener('click', async () => {
    await tell('add');
    document.querySelector('#basket').textContent = ++basket;
  });
  document.querySelector('#buy').addEventListener('click', async () => {
    await tell('buy');
    document.querySelector('#done').textContent = 'Thank you';
  });
</script>`;
