import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

/** The demo site while it is up. */
export interface DemoSite {
  url: string;
  close(): Promise<void>;
}

/** Starts a small tea shop on loopback: a form that is posted, and a page that shows the order a moment later. */
export async function startDemoSite(port = 0): Promise<DemoSite> {
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      response.writeHead(500, { 'content-type': 'text/plain' }).end(String(error));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the demo site listens on no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'http://site');
  if (pathname === '/' && request.method === 'GET') return html(response, 'Tea shop', form);
  if (pathname === '/order' && request.method === 'POST') {
    const fields = new URLSearchParams(await bodyOf(request));
    return html(response, 'Order', confirmation(fields.get('name') ?? '', fields.get('tea') ?? 'black'));
  }
  response.writeHead(404, { 'content-type': 'text/plain' }).end('not found');
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > 10_000) throw new Error('the form is too large');
  }
  return text;
}

const form = `
  <h1>Tea shop</h1>
  <form method="post" action="/order">
    <label for="name">Your name</label>
    <input id="name" name="name" autocomplete="off">
    <fieldset>
      <legend>Tea</legend>
      <label><input type="radio" name="tea" value="black" checked> Black tea</label>
      <label data-tea="green"><input type="radio" name="tea" value="green"> Green tea</label>
    </fieldset>
    <button type="submit">Order</button>
  </form>`;

const prices: Readonly<Record<string, string>> = { black: '€ 3.50', green: '€ 4.50' };

/** The order appears after a moment, as on a page that loads it: steps have to wait for it. */
function confirmation(name: string, tea: string): string {
  const order = `T-${String(name.length * 1_003 + tea.length).padStart(5, '0')}`;
  return `
  <div id="order" hidden>
    <h1>Thank you, ${escaped(name)}: order <span id="order-number">${order}</span></h1>
    <p>One ${escaped(tea)} tea: <strong id="total">${prices[tea] ?? '€ 0.00'}</strong></p>
    <button id="pay">Pay</button>
  </div>
  <p id="busy">Placing your order …</p>
  <script>
    setTimeout(() => {
      document.getElementById('busy').remove();
      document.getElementById('order').hidden = false;
    }, 250);
  </script>`;
}

function html(response: ServerResponse, title: string, body: string): void {
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(`<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>${title}</title>
  <link rel="icon" href="data:,">
  <style>
    body { font: 18px/1.5 system-ui, sans-serif; max-width: 34rem; margin: 3rem auto; color: #1d2b22; background: #f6f4ee }
    fieldset { margin: 1rem 0; border: 1px solid #b9c3b4; border-radius: 6px }
    input#name { font: inherit; padding: .3rem .5rem; width: 100%; box-sizing: border-box }
    button { font: inherit; padding: .4rem 1.2rem; border: 0; border-radius: 6px; background: #2f6b46; color: #fff }
    label { display: block }
  </style>
</head>
<body>${body}
</body>
</html>
`);
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
