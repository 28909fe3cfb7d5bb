import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, type WarmBrowser } from '../../src/browser/warm-browser.ts';
import { type ChildProgram, startProgram } from '../../src/demo/child-program.ts';
import { silentLog } from '../../src/lib/log.ts';
import { backendDatabase, backendFlowId } from '../support/backend-database.ts';
import { filesBelow, leaks } from '../support/leaks.ts';
import { maskedShare } from '../support/picture-pixels.ts';
import { type RecordingProxy, startRecordingProxy } from '../support/recording-proxy.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';
import {
  awkwardSecrets,
  type FailingFlow,
  failingFlows,
  secretField,
  secretPages,
} from '../support/secret-flows.ts';
import { type Site, startSite } from '../support/site.ts';
import {
  type BridgeProcess,
  pairRunner,
  runnerEnv,
  runnerProgram,
  startBridgeProcess,
  startSharedBridge,
} from '../support/system.ts';
import { suiteFolder, tempFolder } from '../support/temp-folder.ts';
import { testBrowser } from '../support/test-browser.ts';
import { until } from '../support/until.ts';

// Every node type is made to fail in every way, with awkward secrets in the page and in the step, in a real runner process with
// a real Chromium and a real bridge. Then none of it may be anywhere but in the site: the search itself is proven by what is planted.

const names = Object.keys(awkwardSecrets);
const types = ['navigate', 'click', 'type', 'wait', 'assertion', 'extract'];

/** Each flow with one of the secrets, with another one at each place. */
function flowsOf(kind: string): FailingFlow[] {
  const shift = kind === 'the embedded default' ? 0 : 3;
  return failingFlows('X').flatMap((_, index) => {
    const name = names[(index + shift) % names.length] ?? '';
    return failingFlows(name)[index] ?? [];
  });
}

interface Place {
  bridge: BridgeProcess;
  /** All rows of all tables, read after the bridge has stopped. */
  rows(): Promise<Map<string, string>>;
  /** What else was told. */
  told: Map<string, string>;
  close(): Promise<void>;
}

const places: Record<string, (folder: string, publicUrl: string) => Promise<Place>> = {
  'the embedded default': async (folder, publicUrl) => {
    const data = join(folder, 'bridge');
    const bridge = await startBridgeProcess(data, { PUBLIC_URL: publicUrl });
    return {
      bridge,
      told: new Map(),
      async rows() {
        const database = await PGlite.create(join(data, 'database'));
        try {
          return await allRows(
            async (statement) => (await database.query<Record<string, string>>(statement)).rows,
          );
        } finally {
          await database.close();
        }
      },
      close: () => bridge.program.stop(),
    };
  },
  'Redis and PostgreSQL': async (_, publicUrl) => {
    const database = await backendDatabase();
    const redis: RedisServer = await startRedis();
    const told = new Map<string, string>();
    const watching = new Redis(redis.url);
    // Everything that reaches Redis, what is published included.
    const monitor = await watching.monitor();
    monitor.on(
      'monitor',
      (_time: string, args: unknown[]) => void told.set(`Redis ${told.size}`, args.map(String).join(' ')),
    );
    const bridge = await startSharedBridge(
      { databaseUrl: database.url, redisUrl: redis.url },
      { PUBLIC_URL: publicUrl },
    );
    return {
      bridge,
      told,
      async rows() {
        const client = new Client({ connectionString: database.url });
        await client.connect();
        try {
          return await allRows(
            async (statement) => (await client.query<Record<string, string>>(statement)).rows,
          );
        } finally {
          await client.end();
        }
      },
      async close() {
        await bridge.program.stop();
        monitor.disconnect();
        watching.disconnect();
        await redis.remove();
        await database.drop();
      },
    };
  },
};

async function allRows(
  query: (statement: string) => Promise<Record<string, string>[]>,
): Promise<Map<string, string>> {
  const tables = await query(
    `select quote_ident(table_schema) || '.' || quote_ident(table_name) as name from information_schema.tables
     where table_schema not in ('pg_catalog', 'information_schema') and table_type = 'BASE TABLE'`,
  );
  const rows = new Map<string, string>();
  for (const { name = '' } of tables) {
    for (const [index, { row = '' }] of (
      await query(`select to_jsonb(t)::text as row from ${name} t`)
    ).entries()) {
      rows.set(`${name} ${index}`, row);
    }
  }
  return rows;
}

describe.each(Object.keys(places))('secrets of a runner, with a bridge on %s,', (kind) => {
  const flows = flowsOf(kind);
  /** By the id of its run. */
  const executed = new Map<string, FailingFlow>();
  const folder = suiteFolder();
  const told = new Map<string, string>();
  const output: string[] = [];
  const pictures = new Map<string, Uint8Array>();
  let site: Site;
  let proxy: RecordingProxy;
  let place: Place;
  let runner: ChildProgram;
  let warm: WarmBrowser;
  const home = (): string => join(folder(), 'runner');

  beforeAll(async () => {
    site = await startSite(secretPages);
    let count = 0;
    proxy = await startRecordingProxy(({ name, path, body, headers }) => {
      count += 1;
      if (headers['content-type']?.startsWith('image/') === true) pictures.set(path, body);
      told.set(`request ${count} ${name} ${path}`, `${path} ${JSON.stringify(headers)} ${body.toString()}`);
    });
    const open = places[kind];
    if (open === undefined) throw new Error(kind);
    place = await open(folder(), proxy.url);
    proxy.target = place.bridge.url;
    await pairRunner({ ...place.bridge, url: proxy.url }, home());
    const { LINES, REGEX, ...inFile } = awkwardSecrets;
    const file = join(folder(), 'secrets.json');
    const entries = Object.entries(inFile).map(([name, value]) => [name, { value, use: types }]);
    const others = { LINES: { value: LINES, use: types, hosts: ['127.0.0.1'] } };
    await writeFile(file, JSON.stringify({ ...Object.fromEntries(entries), ...others }), { mode: 0o600 });
    runner = startProgram(runnerProgram, ['start', '--secrets', file, '--concurrency', '2'], {
      env: {
        ...runnerEnv(home()),
        QUALINET_ALLOW_HOSTS: '127.0.0.1,localhost,[::1]',
        QUALINET_VAR_REGEX: REGEX ?? '',
      },
      onStdout: (line) => void output.push(line),
      onStderr: (line) => void output.push(line),
    });
    warm = await launchBrowser({ choice: await testBrowser(), log: silentLog });
  });
  afterAll(async () => {
    await warm?.close();
    await runner?.stop();
    await place?.close();
    await proxy?.close();
    await site?.close();
  });

  async function submit({ name, flow }: FailingFlow): Promise<string> {
    return place.bridge.submit({
      name,
      ...(kind === 'the embedded default' ? {} : { flowId: backendFlowId }),
      ...flow,
      variables: { SITE: site.url, QUOTES: 'of the server' },
    });
  }

  it('are typed where they may be, and every step fails as it should', async () => {
    const runIds = await Promise.all(flows.map(submit));
    for (const [index, runId] of runIds.entries()) {
      const flow = flows[index];
      if (flow !== undefined) executed.set(runId, flow);
      const updates = await place.bridge.follow(runId);
      const run = await place.bridge.read(runId);
      told.set(`SSE ${flow?.name}`, JSON.stringify(updates));
      told.set(`run ${flow?.name}`, JSON.stringify(run));
      const last = run.stepsResult?.at(-1);
      const isAsItShouldBe =
        last?.status === 'failed' && (last.errorKind === flow?.kind || isSecretNoSuch(flow, last.errorKind));
      expect(isAsItShouldBe, `${flow?.name}: ${last?.nodeId} ${last?.errorKind} ${last?.error}`).toBe(true);
      expect(last?.nodeId, flow?.name).toBe('last');
      if (flow?.picture !== 'none' && last?.screenshotUrl === undefined) {
        expect(last?.screenshotProblem, `${flow?.name}: why there is no picture`).toMatch(/in time|secret/);
      }
    }
  }, 240_000);

  it('are covered in the pictures, where their field is', async () => {
    let covered = 0;
    const opened = await warm.newRun();
    try {
      for (const [path, bytes] of pictures) {
        const [, flow] = [...executed].find(([runId]) => path.includes(runId)) ?? [];
        if (flow?.picture !== 'field') continue;
        covered += 1;
        const contentType = path.includes('jpeg') ? 'image/jpeg' : 'image/png';
        expect(await maskedShare(opened.page, { bytes, contentType }, secretField), flow.name).toBe(1);
      }
      expect(covered).toBeGreaterThan(8);
    } finally {
      await opened.close();
    }
  });

  it('are not on the disk of a runner whose bridge is away either', async () => {
    proxy.refused.add('postEvents').add('postResult').add('requestUpload');
    const [flow] = failingFlows('QUOTES').filter(({ kind: failure }) => failure === 'assertion');
    if (flow === undefined) throw new Error('no flow');
    const runId = await submit(flow);
    await until('the run is owed', async () =>
      [...(await filesBelow(home())).keys()].some(
        (path) => /ending|result/.test(path) && path.includes('spool'),
      ),
    );
    for (const [path, text] of await filesBelow(home())) told.set(`owed ${path}`, text);
    expect([...told.keys()].some((where) => where.includes('events.jsonl'))).toBe(true);
    proxy.refused.clear();
    told.set('run that was owed', JSON.stringify(await place.bridge.over(runId, 60_000)));
  }, 90_000);

  it('are found nowhere: requests, logs, disk, results, events, tables, Redis', async () => {
    await runner.stop();
    await place.bridge.program.stop();
    for (const [path, text] of await filesBelow(home())) told.set(`left ${path}`, text);
    for (const [where, text] of await place.rows()) told.set(`row ${where}`, text);
    for (const [where, text] of place.told) told.set(where, text);
    told.set('what the runner wrote', output.join('\n'));
    told.set('what the bridge wrote', place.bridge.lines.join('\n'));
    expect(leaks(awkwardSecrets, told)).toEqual([]);
    expect([...told.values()].join('\n')).toContain('<redacted');
    expect(output.join('\n')).toContain('the variable QUOTES of the flow is not used');
  }, 60_000);

  it('would have been found, had they been there', () => {
    const planted = new Map([
      ['a log', `{"message":"got ${JSON.stringify(awkwardSecrets['QUOTES']).slice(1, -1)}"}`],
      ['a header', Buffer.from(`user:${awkwardSecrets['REGEX']}`).toString('base64')],
      ['an address', `http://a/?p=${encodeURIComponent(awkwardSecrets['UNICODE'] ?? '')}`],
      ['a cut text', `${awkwardSecrets['LONG']?.slice(0, 100)}…`],
    ]);
    expect(
      leaks(awkwardSecrets, planted).map((line) => line.replace(/ \(.*?\) in /, ': ').split(': …')[0]),
    ).toEqual(
      expect.arrayContaining(['QUOTES: a log', 'REGEX: a header', 'UNICODE: an address', 'LONG: a cut text']),
    );
    // The site has got them all: they were used.
    const requested = site.requests.map((path) => path).join('\n');
    expect(leaks(awkwardSecrets, new Map([['site', requested]]))).not.toEqual([]);
  });
});

/** What a secret makes of a selector or an address may be wrong in more than one way. */
function isSecretNoSuch(flow: FailingFlow | undefined, kind: string | undefined): boolean {
  // The one from the environment may be typed only.
  if (kind === 'blocked' && flow?.name.endsWith('REGEX') === true) return true;
  const either = ['invalid_data', 'not_found', 'not_actionable', 'navigation', 'blocked'];
  return flow !== undefined && /^(?:click|navigate)/.test(flow.name) && either.includes(kind ?? '');
}

describe('qualinet run', () => {
  it('tells no secret in its progress, its result and its pictures', async () => {
    const folder = await tempFolder();
    const site = await startSite(secretPages);
    try {
      const told = new Map<string, string>();
      for (const [index, failing] of failingFlows('JSONISH').entries()) {
        if (index % 4 !== 2) continue;
        const path = join(folder, 'flow.json');
        await writeFile(path, JSON.stringify({ ...failing.flow, variables: { SITE: site.url } }));
        const file = join(folder, 'secrets.json');
        const entry = { value: awkwardSecrets['JSONISH'], use: types };
        await writeFile(file, JSON.stringify({ JSONISH: entry }), { mode: 0o600 });
        const program = startProgram(
          runnerProgram,
          ['run', path, '--json', '--secrets', file, '--screenshots', join(folder, 'pictures')],
          {
            env: { ...runnerEnv(folder), QUALINET_ALLOW_HOSTS: '127.0.0.1' },
            onStdout: (line) => void told.set(`stdout ${told.size}`, line),
            onStderr: (line) => void told.set(`stderr ${told.size}`, line),
          },
        );
        expect(await program.ended, program.said()).toBe(1);
      }
      const all = [...told.values()].join('\n');
      expect(all).toContain('"status":"failed"');
      expect(all).toContain('<redacted JSONISH>');
      expect(leaks({ JSONISH: awkwardSecrets['JSONISH'] ?? '' }, told)).toEqual([]);
    } finally {
      await site.close();
    }
  });

  it('tells no secret when it ends by an error that nobody catches', async () => {
    const folder = await tempFolder();
    const preload = join(folder, 'preload.mjs');
    const value = 'hunter2 "quoted" & more';
    await writeFile(
      preload,
      `const value = process.env.QUALINET_VAR_PW;
       process.on('SIGUSR2', () => { throw Object.assign(new Error('lost: ' + value), { detail: value }); });`,
    );
    const site = await startSite(secretPages);
    const said: string[] = [];
    try {
      const path = join(folder, 'flow.json');
      const flow = failingFlows('PW').find(({ kind }) => kind === 'assertion')?.flow ?? {
        nodes: [],
        edges: [],
      };
      const last = flow.nodes.at(-1);
      if (last !== undefined && 'data' in last)
        last.data = { selector: '#echo', value: 'never', timeoutMs: 20_000 };
      await writeFile(path, JSON.stringify({ ...flow, variables: { SITE: site.url } }));
      const program = startProgram(runnerProgram, ['run', path], {
        env: {
          ...runnerEnv(folder),
          NODE_OPTIONS: `--import ${preload}`,
          QUALINET_VAR_PW: value,
          QUALINET_ALLOW_HOSTS: '127.0.0.1',
        },
        onStderr: (line) => void said.push(line),
      });
      await until('the secret is typed', () => said.some((line) => line.includes('2/3')));
      program.process.kill('SIGUSR2');
      await program.ended;
      expect(said.join('\n')).toContain('lost: <redacted PW>');
      expect(said.join('\n')).not.toContain('hunter2');
    } finally {
      await site.close();
    }
  });
});
