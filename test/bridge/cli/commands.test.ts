import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { qualinetBridge } from '../../../src/bridge/cli/command-table.ts';
import { runProgram } from '../../../src/command-line/run-program.ts';
import { newExchangeKeys } from '../../../src/protocol/keys.ts';
import type { RunView } from '../../../src/protocol/messages.ts';
import { type BridgeFixture, bridgeFixture } from '../../support/bridge-fixture.ts';
import {
  pairRunner,
  post,
  type SignedClient,
  testCapabilities,
  testHost,
} from '../../support/signed-client.ts';
import { testContext } from '../../support/test-context.ts';
import { until } from '../../support/until.ts';

const flow = {
  name: 'Two steps',
  nodes: [
    { id: 's', type: 'start' },
    { id: 'open', type: 'navigate', data: { url: '{{SITE}}/' } },
    { id: 'buy', type: 'click', data: { selector: '#buy' } },
  ],
  edges: [
    { source: 's', target: 'open' },
    { source: 'open', target: 'buy' },
  ],
  variables: { SITE: 'https://example.test', USER: 'nobody' },
};
const at = '2026-11-24T10:00:00.000Z';

let fixture: BridgeFixture;
let folder: string;
const contexts: ReturnType<typeof testContext>[] = [];

beforeAll(async () => {
  fixture = await bridgeFixture();
  folder = await mkdtemp(join(tmpdir(), 'qualinet-bridge-cli-'));
  await writeFile(join(folder, 'flow.json'), JSON.stringify(flow));
});
afterAll(async () => {
  await fixture?.end();
  await rm(folder, { recursive: true, force: true });
});
afterEach(() => {
  for (const context of contexts.splice(0)) expect(context.listening()).toBe(0);
});

/** Runs a command as on the machine of the bridge. */
function run(argv: string[], env: Record<string, string> = { QUALINET_DATA_DIR: fixture.config.dataDir }) {
  const context = testContext({ env, cwd: folder });
  contexts.push(context);
  return { ...context, ended: runProgram(qualinetBridge, argv, context.context) };
}

async function outputOf(argv: string[], env?: Record<string, string>) {
  const { ended, out, err } = run(argv, env);
  return { code: await ended, out: out(), err: err() };
}

/** A runner that takes the next run and ends it as told. */
async function play(client: SignedClient, status: 'passed' | 'failed'): Promise<void> {
  const { leases } = await client.call('pollLeases', {
    body: { slots: 1, waitMs: 10_000, capabilities: testCapabilities },
  });
  const [lease] = leases;
  if (lease === undefined) throw new Error('there was no run to play');
  const { fence } = lease;
  const params = { leaseId: lease.leaseId };
  await client.call('heartbeat', { params, body: { fence, nodeId: null } });
  const open = { type: 'step_complete', nodeId: 'open', status: 'passed', durationMs: 340 } as const;
  const buy = {
    type: 'step_complete',
    nodeId: 'buy',
    durationMs: 10_000,
    ...(status === 'failed' ? { status, error: 'no element matches #buy' } : { status }),
  } as const;
  await client.call('postEvents', {
    params,
    body: {
      fence,
      events: [
        { seq: 1, at, event: { type: 'step_start', nodeId: 'open' } },
        { seq: 2, at, event: open },
        { seq: 3, at, event: { type: 'step_start', nodeId: 'buy' } },
        { seq: 4, at, event: buy },
      ],
    },
  });
  const { type: _, ...first } = open;
  const { type: __, ...second } = buy;
  await client.call('postResult', {
    params,
    body: {
      fence,
      result: {
        status,
        durationMs: 10_340,
        stepsResult: [
          { ...first, type: 'navigate', logs: 'Opened https://example.test/' },
          { ...second, type: 'click' },
        ],
      },
    },
  });
}

describe('qualinet-bridge', () => {
  it.each([
    [['sumbit', 'x'], /there is no command "sumbit"\nDid you mean: qualinet-bridge submit/],
    [['submit', 'x', '--prioritty', '5'], /unknown option.*\n.*--priority/],
    [['submit'], /an argument is missing: <flow>/],
    [['submit', 'flow.json', '--priority', 'high'], /--priority: must be a whole number/],
    [['submit', 'flow.json', '--var', 'novalue'], /--var: "novalue" is not NAME=value/],
    [['approve', 'somebody'], /argument 1: must be the ID of a runner/],
    [['code', '--api', 'nonsense'], /--api: must be an http or https address/],
    [['code', '--api', 'http://127.0.0.1:1', '--data-dir', '/tmp'], /--api and --data-dir name two bridges/],
  ])('ends %j with 64 and says what is wrong', async (argv, message) => {
    const { code, out, err } = await outputOf(argv);
    expect(code).toBe(64);
    expect(out).toBe('');
    expect(err).toMatch(message);
  });

  it('shows the help of every command', async () => {
    for (const { name, summary } of qualinetBridge.commands) {
      const { code, out } = await outputOf([name, '--help']);
      expect(code).toBe(0);
      expect(out).toContain(summary);
      expect(out).toContain('Exit codes:');
    }
  });

  it('says how to start a bridge when none runs', async () => {
    const { code, err } = await outputOf(['code'], { QUALINET_DATA_DIR: folder });
    expect(code).toBe(78);
    expect(err).toMatch(/no bridge runs on the data folder .*\nStart one with: qualinet-bridge serve/);
  });

  it('says that a bridge cannot be reached, and that an address is no bridge', async () => {
    const env = { QUALINET_DATA_DIR: folder, QUALINET_ADMIN_TOKEN: 'a-token-of-somebody' };
    expect(await outputOf(['code', '--api', 'http://127.0.0.1:1'], env)).toMatchObject({ code: 69 });
    const wrong = await outputOf(['code', '--api', `${fixture.bridge.url}/elsewhere`, '--json'], env);
    expect(wrong.code).toBe(64);
    const refused = await outputOf(['code', '--api', fixture.bridge.url, '--json'], env);
    expect(refused.code).toBe(78);
    expect(JSON.parse(refused.out)).toMatchObject({
      error: { hint: expect.stringContaining('QUALINET_ADMIN_TOKEN') },
    });
  });

  it('reaches a bridge elsewhere by --api or PUBLIC_URL with its token', async () => {
    const { url, adminToken } = fixture.bridge;
    const env = { QUALINET_DATA_DIR: folder, QUALINET_ADMIN_TOKEN: adminToken.reveal() };
    expect((await outputOf(['runs', '--json', '--api', `${url}/`], env)).code).toBe(0);
    expect((await outputOf(['runs', '--json'], { ...env, PUBLIC_URL: url })).code).toBe(0);
  });
});

describe('qualinet-bridge code', () => {
  it('prints the code and the command that uses it', async () => {
    const { code, out, err } = await outputOf(['code', '--workspace', 'one']);
    expect(code).toBe(0);
    const [digits, command] = out.split('\n');
    expect(digits).toMatch(/^\d{6}$/);
    expect(command).toBe(`npx @qualitas-id/qualinet pair ${digits} --api ${fixture.bridge.url}`);
    expect(err).toMatch(/^Good until \d\d:\d\d:\d\d, once, for the workspace one\.\n$/);
  });

  it('prints one object with --json, and keeps labels and approval', async () => {
    const { out } = await outputOf([
      'code',
      '--workspace',
      'two',
      '--labels',
      'eu, linux',
      '--needs-approval',
      '--json',
    ]);
    expect(JSON.parse(out)).toMatchObject({
      code: expect.stringMatching(/^\d{6}$/),
      workspace: 'two',
      labels: ['eu', 'linux'],
      autoApprove: false,
      apiBaseUrl: fixture.bridge.url,
    });
  });

  it('ends with 75 when the workspace has too many open ones', async () => {
    for (let made = 0; made < 3; made += 1) await outputOf(['code', '--workspace', 'three']);
    const { code, err } = await outputOf(['code', '--workspace', 'three']);
    expect(code).toBe(75);
    expect(err).toContain('has 3 open pairing codes');
  });
});

describe('qualinet-bridge runners', () => {
  it('lists them, and approve, deny, drain and revoke change one', async () => {
    const { url } = fixture.bridge;
    const pending = async (hostname: string): Promise<string> => {
      const made = await outputOf([
        'code',
        '--workspace',
        `w-${hostname.length}`,
        '--needs-approval',
        '--json',
      ]);
      const { code } = JSON.parse(made.out) as { code: string };
      const { body } = await post(url, '/v1/pairings', {
        code,
        publicKey: newExchangeKeys().publicKey,
        host: { ...testHost, hostname },
      });
      return String(body['runnerId']);
    };
    const id = await pending('evil\u001b[31mhost');
    const list = await outputOf(['runners']);
    expect(list.out).toMatch(new RegExp(`^ID +NAME.*\n(.*\n)*${id} +evil \\[31mhost +pending`));
    expect(list.err).toMatch(
      new RegExp(`Does the host show the check word \\w{5}-\\w{5}\\? Then: qualinet-bridge approve ${id}`),
    );
    expect((await outputOf(['approve', id])).out).toBe('evil [31mhost is approved\n');
    expect((await outputOf(['drain', id])).out).toBe('evil [31mhost is draining\n');
    expect((await outputOf(['undrain', id])).out).toBe('evil [31mhost is approved\n');
    expect((await outputOf(['runners'])).out).toMatch(new RegExp(`${id} +evil \\[31mhost +approved +w-`));
    expect((await outputOf(['revoke', id, '--json'])).out).toMatch(/"state":"revoked"/);
    const other = await pending('host');
    expect((await outputOf(['deny', other])).out).toBe('host is denied\n');
    expect(await outputOf(['approve', other])).toMatchObject({
      code: 64,
      err: expect.stringContaining('this runner is denied already'),
    });
  });
});

describe('qualinet-bridge why', () => {
  it('says what each runner lacks, for people and for programs, and that a run does not wait', async () => {
    const { url, adminToken } = fixture.bridge;
    const { client, runnerId } = await pairRunner(url, adminToken, { workspace: 'why' });
    const submit = async () =>
      (await outputOf(['submit', 'flow.json', '--workspace', 'why', '--labels', 'gpu'])).out.trim();
    const runId = await submit();
    const unseen = await outputOf(['why', runId]);
    expect(unseen.code).toBe(0);
    expect(unseen.out).toMatch(
      /^The only runner of the workspace why cannot take it: it is without the label gpu and offline\.\nIt has waited for .*\n\n/,
    );
    expect(unseen.out).toMatch(
      new RegExp(`\nRUNNER +NAME +IS\n${runnerId} +test-host +without the label gpu; offline, never seen\n$`),
    );
    await client.call('pollLeases', { body: { slots: 1, waitMs: 0, capabilities: testCapabilities } });
    const answer = await until('the runner was noted', async () => {
      const { out } = await outputOf(['why', runId, '--json']);
      return JSON.parse(out).runners[0].lacks.length === 1 ? JSON.parse(out) : null;
    });
    expect(answer).toMatchObject({
      runId,
      status: 'queued',
      state: 'waiting',
      runners: [{ runnerId, lacks: [{ what: 'labels', missing: ['gpu'] }], canTake: false }],
    });
    expect((await outputOf(['runners'])).out).toMatch(
      new RegExp(`${runnerId} +test-host +online +0 of 1 +why +headless-shell +1\\.1\\.0 `),
    );
    await outputOf(['cancel', runId]);
    expect((await outputOf(['why', runId])).out).toBe('The run does not wait: it is over (cancelled).\n');
    expect((await outputOf(['why', runnerId])).code).toBe(64);
  });
});

describe('qualinet-bridge submit', () => {
  let client: SignedClient;
  beforeAll(async () => {
    ({ client } = await pairRunner(fixture.bridge.url, fixture.bridge.adminToken));
  });

  it('queues a flow and says how to look at it', async () => {
    const { code, out, err } = await outputOf([
      'submit',
      'flow.json',
      '--priority=-5',
      '--workspace',
      'queued',
    ]);
    expect(code).toBe(0);
    const runId = out.trim();
    expect(err).toContain(`qualinet-bridge runs ${runId}`);
    const shown = await outputOf(['runs', runId, '--json']);
    expect(JSON.parse(shown.out)).toMatchObject({
      runId,
      name: 'Two steps',
      status: 'queued',
      workspace: 'queued',
    });
    expect((await outputOf(['runs'])).out).toMatch(new RegExp(`${runId} +Two steps +queued`));
    expect((await outputOf(['cancel', runId])).out).toBe('the run is cancelled\n');
  });

  it('follows a run that passes: a line a step while it happens, the result on stdout, exit code 0', async () => {
    const submit = run(['submit', 'flow.json', '--var', 'USER=ada', '--wait', '--json']);
    await play(client, 'passed');
    expect(await submit.ended).toBe(0);
    const view = JSON.parse(submit.out()) as RunView;
    expect(view).toMatchObject({ status: 'passed', durationMs: 10_340, error: null });
    expect(view.stepsResult).toHaveLength(2);
    expect(submit.err().split('\n')).toEqual([
      expect.stringMatching(/^run [0-9a-f-]{36} is queued$/),
      'runner test-host has the run',
      expect.stringMatching(/^ {2}ok {3}1\/2 navigate .*\(340 ms\)$/),
      expect.stringMatching(/^ {2}ok {3}2\/2 click .*\(10\.0 s\)$/),
      'run passed',
      '',
    ]);
  });

  it('follows a run that fails: exit code 1, and what failed', async () => {
    const submit = run(['submit', 'flow.json', '--wait']);
    await play(client, 'failed');
    expect(await submit.ended).toBe(1);
    expect(submit.err()).toMatch(/FAIL 2\/2 click {2}no element matches #buy {2}\(10\.0 s\)/);
    expect(submit.out()).toMatch(
      /^failed: 1 of 2 executed steps passed in 10\.3 s\n.*\n {2}FAIL buy click {2}no element/,
    );
  });

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'leaves the run alone on %s and says how to look at it',
    async (signal) => {
      const submit = run(['submit', 'flow.json', '--wait', '--workspace', 'left-alone']);
      await until('the run is followed', () => submit.listening() === 1);
      submit.signal(signal);
      expect(await submit.ended).toBe(signal === 'SIGINT' ? 130 : 143);
      const runId = /run (\S+) is queued/.exec(submit.err())?.[1] ?? '';
      expect(submit.err()).toContain(`The run goes on. Look at it with: qualinet-bridge runs ${runId}`);
      expect(JSON.parse((await outputOf(['runs', runId, '--json'])).out)).toMatchObject({ status: 'queued' });
    },
  );

  it('refuses a file that cannot be run, with all its problems, before it asks the bridge', async () => {
    await writeFile(
      join(folder, 'bad.json'),
      JSON.stringify({ nodes: [{ id: 'a', type: 'fly' }], edges: [] }),
    );
    await writeFile(join(folder, 'broken.json'), '{');
    await writeFile(join(folder, 'huge.json'), 'x'.repeat(1024 * 1024 + 1));
    const env = { QUALINET_DATA_DIR: '/nowhere' };
    const bad = await outputOf(['submit', 'bad.json'], env);
    expect(bad.code).toBe(64);
    expect(bad.err).toMatch(/no start node.*\n.*unknown type "fly"/);
    for (const [file, message] of [
      ['broken.json', /no valid JSON/],
      ['huge.json', /1048577 bytes/],
      ['missing.json', /cannot read the flow file missing\.json/],
    ] as const) {
      expect(await outputOf(['submit', file], env)).toMatchObject({
        code: 64,
        err: expect.stringMatching(message),
      });
    }
  });
});
