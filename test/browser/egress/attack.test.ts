import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { NetworkOptions } from '../../../src/browser/egress/egress-proxy.ts';
import type { NetworkRules } from '../../../src/browser/egress/network-rules.ts';
import { loadPlaywright } from '../../../src/browser/install/load-playwright.ts';
import { launchBrowser, type WarmBrowser } from '../../../src/browser/warm-browser.ts';
import { parseHostPattern } from '../../../src/lib/host-pattern.ts';
import { silentLog } from '../../../src/lib/log.ts';
import { attackSite, insideHosts, insideNames } from '../../support/attack-page.ts';
import { type Site, startSite } from '../../support/site.ts';
import { testBrowser } from '../../support/test-browser.ts';
import { startVictims, type Victims } from '../../support/victims.ts';

let victims: Victims;
let attacker: Site;
let warm: WarmBrowser;
let host = '';

beforeAll(async () => {
  victims = await startVictims();
  attacker = await startSite(
    attackSite(() => ({ host, port: victims.port, udpPort: victims.udpPort })),
    '127.0.0.2',
  );
  const network: NetworkOptions = {
    rules: attackerOnly(),
    // As a hostile name server would answer.
    async resolve(name) {
      const addresses = insideNames[name];
      if (addresses === undefined) throw Object.assign(new Error(name), { code: 'ENOTFOUND' });
      return addresses;
    },
  };
  warm = await launchBrowser({ choice: await testBrowser(), log: silentLog, network });
});
afterAll(async () => {
  await warm.close();
  await attacker.close();
  await victims.close();
});
beforeEach(() => {
  victims.requests.length = 0;
  host = `127.0.0.1:${victims.port}`;
});

function attackerOnly(): NetworkRules {
  return { profile: 'lan', allowHosts: [parseHostPattern(new URL(attacker.url).host)], onlyLists: [] };
}

const everything: NetworkRules = { profile: 'open', allowHosts: [], onlyLists: [] };

/** Visits the attacking page and waits until it has tried everything. What reached the victims, by vector. */
async function attack(rules: NetworkRules): Promise<string[]> {
  const run = await warm.newRun(rules);
  try {
    await run.page.goto(`${attacker.url}/attack`);
    await run.page.waitForFunction(`document.title === 'done'`, null, { timeout: 30_000 });
  } finally {
    await run.close();
  }
  return [...new Set(victims.requests.map(({ vector }) => vector))];
}

describe('a hostile page', () => {
  it('reaches its victim in many ways where the rules let it, so that the test below can fail', async () => {
    const reached = await attack(everything);
    expect(reached.length).toBeGreaterThan(40);
    expect(reached).toEqual(
      expect.arrayContaining([
        ...['img', 'iframe', 'script', 'stylesheet', 'css-import', 'video', 'prefetch', 'beacon', 'ws'],
        ...['fetch', 'xhr', 'event-source', 'redirected-img', 'redirected-iframe', 'redirected-fetch'],
        ...[
          'redirected-fetch-post',
          'meta',
          'location',
          'form',
          'window-open',
          'form-target',
          'frame-location',
        ],
        ...['worker-fetch', 'worker-ws', 'shared-worker-fetch', 'shared-worker-ws'],
        ...['service-worker-fetch', 'service-worker-ws', 'redirected-service-worker', 'csp-report'],
      ]),
    );
  });

  it.each(['127.0.0.1', '127.0.0.3', '[::1]', '[::ffff:7f00:1]', 'localhost', 'inside.test', 'both.test'])(
    'reaches nothing at %s where they do not: no request, no connection, no datagram',
    async (name) => {
      host = `${name}:${victims.port}`;
      const before = victims.touches();
      expect(await attack(attackerOnly())).toEqual([]);
      expect(victims.touches()).toBe(before);
    },
  );

  it('reaches nothing in any spelling of this machine, by fetch, picture, frame or socket', async () => {
    const before = victims.touches();
    const run = await warm.newRun(attackerOnly());
    await run.page.goto(`${attacker.url}/page/click`);
    const spellings = insideHosts(victims.port);
    await run.page.evaluate(tryAll, spellings);
    expect(victims.touches()).toBe(before);
    await run.close();

    // The same, where it may.
    const control = await warm.newRun(everything);
    await control.page.goto(`${attacker.url}/page/click`);
    await control.page.evaluate(tryAll, spellings);
    await control.close();
    expect(victims.touches()).toBeGreaterThan(before + spellings.length);
  });

  it('sends no datagram even where it may reach everything, as it would in a browser without our flags', async () => {
    const before = victims.datagrams();
    await attack(everything);
    expect(victims.datagrams()).toBe(before);

    const bare = await loadPlaywright().chromium.launch({ executablePath: (await testBrowser()).path });
    onTestFinished(() => bare.close());
    const page = await bare.newPage();
    await page.goto(`${attacker.url}/attack`);
    await page.waitForFunction(`document.title === 'done'`, null, { timeout: 30_000 });
    expect(victims.datagrams()).toBeGreaterThan(before);
  });
});

/** Runs in the page. */
async function tryAll(hosts: string[]): Promise<void> {
  const quietly = (work: Promise<unknown>): Promise<unknown> => work.catch(() => {});
  await Promise.all(
    hosts.map(async (name) => {
      await quietly(fetch(`http://${name}/spelling-fetch`, { mode: 'no-cors' }));
      await new Promise((done) => {
        const image = new Image();
        image.onload = done;
        image.onerror = done;
        image.src = `http://${name}/spelling-img`;
      });
      await new Promise((done) => {
        const frame = document.createElement('iframe');
        frame.onload = done;
        frame.src = `http://${name}/spelling-iframe`;
        document.body.append(frame);
      });
      await new Promise((done) => {
        const socket = new WebSocket(`ws://${name}/spelling-ws`);
        socket.onerror = done;
        socket.onclose = done;
      });
    }),
  );
}
