import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { RunPage } from '../../src/browser/run-page.ts';
import { launchBrowser } from '../../src/browser/warm-browser.ts';
import { silentLog } from '../../src/lib/log.ts';
import { processExists } from '../support/processes.ts';
import { type Site, startSite } from '../support/site.ts';
import { testBrowser } from '../support/test-browser.ts';
import { until } from '../support/until.ts';

/** A page that leaves everything a site can leave in a browser, and tells what it finds of an earlier visit. */
const traces = `
<script>
  const opened = () => new Promise((resolve, reject) => {
    const request = indexedDB.open('traces', 1);
    request.onupgradeneeded = () => request.result.createObjectStore('left');
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const done = (request) => new Promise((resolve) => { request.onsuccess = () => resolve(request.result); });
  async function look() {
    const database = await opened();
    const left = await done(database.transaction('left').objectStore('left').get('run'));
    database.close();
    return {
      cookie: document.cookie,
      local: localStorage.length,
      session: sessionStorage.length,
      database: left ?? null,
      caches: await caches.keys(),
      workers: (await navigator.serviceWorker.getRegistrations()).length,
      geolocation: (await navigator.permissions.query({ name: 'geolocation' })).state,
      windowName: window.name,
      history: history.length,
    };
  }
  async function leave() {
    document.cookie = 'run=1; max-age=9999';
    localStorage.setItem('run', '1');
    sessionStorage.setItem('run', '1');
    window.name = 'run 1';
    const database = await opened();
    await done(database.transaction('left', 'readwrite').objectStore('left').put('1', 'run'));
    database.close();
    await (await caches.open('left')).put('/left', new Response('1'));
    await navigator.serviceWorker.register('/worker.js');
    await navigator.serviceWorker.ready;
    history.pushState({}, '', '/?again');
    await (await fetch('/cached')).text();
  }
</script>`;

async function site(): Promise<Site & { asked(path: string): number; authorised: string[] }> {
  const authorised: string[] = [];
  const started = await startSite({
    '/': traces,
    '/worker.js': (response) => {
      const code = 'self.addEventListener("install", () => self.skipWaiting()); self.onfetch = () => {};';
      response.writeHead(200, { 'content-type': 'text/javascript' }).end(code);
    },
    '/cached': (response) => {
      response.writeHead(200, { 'cache-control': 'max-age=9999', 'content-type': 'text/plain' }).end('1');
    },
    '/locked': (response) => {
      const given = response.req.headers.authorization ?? '';
      if (given !== '') authorised.push(given);
      if (given === '') response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end();
      else response.writeHead(200).end('in');
    },
  });
  onTestFinished(() => started.close());
  return {
    ...started,
    authorised,
    asked: (path) => started.requests.filter((request) => request === path).length,
  };
}

async function warmBrowser(given: Partial<Parameters<typeof launchBrowser>[0]> = {}) {
  const warm = await launchBrowser({ choice: await testBrowser(), log: silentLog, ...given });
  onTestFinished(() => warm.close());
  return warm;
}

const look = ({ page }: RunPage) => page.evaluate('look()');

const nothing = {
  cookie: '',
  local: 0,
  session: 0,
  database: null,
  caches: [],
  workers: 0,
  geolocation: 'prompt',
  windowName: '',
};

describe('a run in a browser that others had before it', () => {
  it('finds nothing of theirs: no cookie, storage, database, cache, worker, permission or login', async () => {
    const { url, asked, authorised } = await site();
    const warm = await warmBrowser();
    const first = await warm.newRun();
    await first.page.goto(url);
    await first.page.evaluate('leave()');
    await first.context.grantPermissions(['geolocation'], { origin: url });
    await first.page.goto(`${url.replace('//', '//user:pass@')}/locked`);
    await first.page.goto(url);
    // What is looked for is there to be found while the run lasts.
    expect(await look(first)).toMatchObject({
      cookie: 'run=1',
      local: 1,
      database: '1',
      workers: 1,
      caches: ['left'],
    });
    expect([asked('/cached'), authorised.length > 0]).toEqual([1, true]);

    const beside = await warm.newRun();
    await beside.page.goto(url);
    expect(await look(beside)).toMatchObject(nothing);
    await first.close();
    await beside.close();
    await warm.settled();

    const pid = warm.pid;
    const logins = authorised.length;
    const second = await warm.newRun();
    await second.page.goto(url);
    expect(await look(second)).toMatchObject(nothing);
    await second.page.evaluate("fetch('/cached').then((answer) => answer.text())");
    expect(asked('/cached')).toBe(2);
    await second.page.goto(`${url}/locked`).catch(() => {});
    expect(authorised).toHaveLength(logins);
    expect(warm.pid).toBe(pid);
    await second.close();
  });
});

describe('a managed browser', () => {
  it('gives each run a process and a profile of its own, also those that come at once', async () => {
    const warm = await warmBrowser({ runsPerBrowser: 1 });
    const seen = new Set<number>();
    const profiles = new Set<string>();
    for (let round = 0; round < 2; round += 1) {
      const runs = await Promise.all([warm.newRun(), warm.newRun(), warm.newRun()]);
      const processes = await Promise.all(runs.map(processOf));
      for (const { pid, profile } of processes) {
        seen.add(pid);
        profiles.add(profile);
      }
      for (const run of runs) {
        expect(run.context.browser()?.contexts()).toEqual([run.context]);
        await run.close();
      }
      await warm.settled();
      await until('their processes are gone', () => processes.every(({ pid }) => !processExists(pid)));
      for (const { profile } of processes) await expect(readdir(profile)).rejects.toThrow('ENOENT');
    }
    expect([seen.size, profiles.size]).toEqual([6, 6]);
  });

  it('is never given to a second run after its page was closed, not even for a moment', async () => {
    const warm = await warmBrowser({ runsPerBrowser: 1 });
    const first = await warm.newRun();
    const used = first.context.browser();
    const closing = first.close();
    const second = await warm.newRun();
    expect(second.context.browser()).not.toBe(used);
    await closing;
    await second.close();
    await warm.settled();
    expect(used?.isConnected()).toBe(false);
  });

  it('whose run could not begin is not given to the next one either', async () => {
    const warm = await warmBrowser({ runsPerBrowser: 1 });
    const first = await warm.newRun();
    const { pid } = await processOf(first);
    process.kill(pid, 'SIGKILL');
    await until('the run knows it', () => first.gone.aborted);
    await first.close();
    const second = await warm.newRun();
    expect((await processOf(second)).pid).not.toBe(pid);
    await second.close();
  });
});

async function processOf({ context }: RunPage): Promise<{ pid: number; profile: string }> {
  const session = await context.browser()?.newBrowserCDPSession();
  const { processInfo } = (await session?.send('SystemInfo.getProcessInfo')) ?? { processInfo: [] };
  await session?.detach();
  const pid = processInfo.find(({ type }) => type === 'browser')?.id ?? 0;
  const line = await readFile(`/proc/${pid}/cmdline`, 'utf8');
  return { pid, profile: /--user-data-dir=([^\0]+)/.exec(line)?.[1] ?? '' };
}
