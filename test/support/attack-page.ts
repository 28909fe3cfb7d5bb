import type { Page } from './site.ts';

/** Spellings of this machine that a page may try, and names that lead to it. */
export function insideHosts(port: number): string[] {
  return [
    ...['127.0.0.1', '127.0.0.3', '127.1', '127.0.1', '2130706433', '0x7f000001', '0x7f.0.0.1', '0177.0.0.1'],
    ...['[::1]', '[0:0:0:0:0:0:0:1]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '0.0.0.0', '[::]'],
    ...['localhost', 'LOCALHOST', 'localhost.', 'a.localhost', 'inside.test', 'inside.test.', 'both.test'],
  ].map((host) => `${host}:${port}`);
}

/** Where those names lead. */
export const insideNames: Readonly<Record<string, readonly string[]>> = {
  'inside.test': ['127.0.0.1'],
  'both.test': ['127.0.0.2', '127.0.0.1'],
};

/**
 * A site that tries to make its visitor's browser reach `host` in every way there is; `/attack` is done when its title says
 * so. Each way asks for a path of its own. `udp` and `turn` are ports for WebRTC.
 */
export function attackSite(
  given: () => { host: string; udpPort: number; port: number },
): Record<string, Page> {
  const to = (vector: string): string => `http://${given().host}/${vector}`;
  const script =
    (code: () => string): Page =>
    (response) => {
      response
        .writeHead(200, { 'content-type': 'text/javascript', 'service-worker-allowed': '/' })
        .end(code());
    };
  return {
    '/redirect': (response, url) => {
      response.writeHead(302, { location: to(`redirected-${url.searchParams.get('by')}`) }).end();
    },
    '/redirect-307': (response, url) => {
      response.writeHead(307, { location: to(`redirected-${url.searchParams.get('by')}`) }).end();
    },
    '/page/meta': (response) => page(response, `<meta http-equiv="refresh" content="0;url=${to('meta')}">`),
    '/page/location': (response) => page(response, `<script>location.href = '${to('location')}'</script>`),
    '/page/form': (response) =>
      page(
        response,
        `<form method="post" action="${to('form')}"><input name="a"></form><script>document.forms[0].submit()</script>`,
      ),
    '/page/click': (response) =>
      page(response, `<a id="go" href="${to('link')}">Go</a><h1 id="title">Home</h1>`),
    '/style.css': (response) =>
      response
        .writeHead(200, { 'content-type': 'text/css' })
        .end(
          `@import url('${to('css-import')}'); @font-face { font-family: f; src: url('${to('font')}') } body { font-family: f; background: url('${to('background')}') }`,
        ),
    '/worker.js': script(() => workerCode(given().host, 'worker')),
    '/shared-worker.js': script(() => `onconnect = () => { ${workerCode(given().host, 'shared-worker')} }`),
    '/service-worker.js': script(
      () =>
        `oninstall = (event) => { skipWaiting(); event.waitUntil((async () => { ${workerCode(given().host, 'service-worker')}; await new Promise((done) => setTimeout(done, 300)) })()) }`,
    ),
    '/attack': (response) => {
      response.setHeader(
        'content-security-policy-report-only',
        `object-src 'none'; report-uri ${to('csp-report')}`,
      );
      page(
        response,
        `<link rel="stylesheet" href="/style.css"><link rel="stylesheet" href="${to('stylesheet')}">
        <link rel="prefetch" href="${to('prefetch')}"><link rel="preload" as="script" href="${to('preload')}">
        <link rel="preconnect" href="${to('')}"><link rel="dns-prefetch" href="//${given().host}">
        <link rel="modulepreload" href="${to('modulepreload')}"><link rel="icon" href="${to('icon')}">
        <img src="${to('img')}"><img src="/redirect?by=img"><picture><source srcset="${to('srcset')}"><img></picture>
        <script src="${to('script')}"></script><script type="module" src="${to('module')}"></script>
        <iframe src="${to('iframe')}"></iframe><iframe src="/redirect?by=iframe"></iframe>
        <iframe src="/page/meta"></iframe><iframe src="/page/location"></iframe><iframe src="/page/form"></iframe>
        <iframe srcdoc="<img src='${to('srcdoc')}'>"></iframe>
        <object data="${to('object')}"></object><embed src="${to('embed')}">
        <video src="${to('video')}"></video><audio src="${to('audio')}" preload="auto"></audio>
        <video poster="${to('poster')}"></video>
        <svg><image href="${to('svg-image')}"/></svg>
        <a id="ping" href="#" ping="${to('ping')}">.</a>
        <p>text</p><script>${pageCode(given())}</script>`,
      );
    },
  };
}

function page(response: Parameters<Exclude<Page, string>>[0], body: string): void {
  response.writeHead(200, { 'content-type': 'text/html' }).end(`<!doctype html><title>attack</title>${body}`);
}

function workerCode(host: string, who: string): string {
  return `fetch('http://${host}/${who}-fetch', { mode: 'no-cors' }).catch(() => {});
    fetch('/redirect?by=${who}', { mode: 'no-cors' }).catch(() => {});
    try { new WebSocket('ws://${host}/${who}-ws') } catch {}`;
}

function pageCode({ host, udpPort, port }: { host: string; udpPort: number; port: number }): string {
  const to = (vector: string): string => `'http://${host}/${vector}'`;
  return `
    const quietly = (work) => { try { return Promise.resolve(work()).catch(() => {}) } catch { return Promise.resolve() } };
    onload = async () => {
      const tried = [
        () => fetch(${to('fetch')}, { mode: 'no-cors' }),
        () => fetch(${to('fetch-cors')}),
        () => fetch(${to('fetch-post')}, { method: 'POST', mode: 'no-cors', body: 'x' }),
        () => fetch(${to('fetch-keepalive')}, { mode: 'no-cors', keepalive: true }),
        () => fetch('/redirect?by=fetch', { mode: 'no-cors' }),
        () => fetch('/redirect-307?by=fetch-post', { method: 'POST', mode: 'no-cors', body: 'x' }),
        () => new Promise((done) => { const x = new XMLHttpRequest(); x.onloadend = done; x.open('GET', ${to('xhr')}); x.send() }),
        () => { const source = new EventSource(${to('event-source')}); setTimeout(() => source.close(), 500) },
        () => { new WebSocket('ws://${host}/ws') },
        () => { new WebSocket('wss://${host}/wss') },
        () => navigator.sendBeacon(${to('beacon')}, 'x'),
        () => { open(${to('window-open')}) },
        () => { document.getElementById('ping').click() },
        () => { new Worker('/worker.js') },
        () => { new SharedWorker('/shared-worker.js') },
        () => navigator.serviceWorker.register('/service-worker.js'),
        () => import(${to('import')}),
        () => { const image = new Image(); image.src = ${to('new-image')} },
        () => { const frame = document.createElement('iframe'); document.body.append(frame); frame.contentWindow.location = ${to('frame-location')} },
        () => { const form = document.createElement('form'); form.target = 'somewhere'; form.action = ${to('form-target')}; document.body.append(form); form.submit() },
        () => { const rules = document.createElement('script'); rules.type = 'speculationrules';
                rules.textContent = JSON.stringify({ prefetch: [{ urls: [${to('speculation')}], eagerness: 'immediate' }] }); document.body.append(rules) },
        () => { const context = new WebTransport('https://${host}/web-transport') },
        async () => {
          const peer = new RTCPeerConnection({ iceServers: [
            { urls: 'stun:127.0.0.1:${udpPort}' },
            { urls: 'turn:127.0.0.1:${udpPort}?transport=udp', username: 'u', credential: 'c' },
            { urls: 'turn:127.0.0.1:${port}?transport=tcp', username: 'u', credential: 'c' },
            { urls: 'turns:127.0.0.1:${port}?transport=tcp', username: 'u', credential: 'c' },
          ] });
          peer.createDataChannel('x');
          await peer.setLocalDescription(await peer.createOffer());
          await new Promise((done) => setTimeout(done, 1000));
        },
      ];
      await Promise.race([Promise.all(tried.map(quietly)), new Promise((done) => setTimeout(done, 8000))]);
      await new Promise((done) => setTimeout(done, 700));
      document.title = 'done';
    };`;
}
