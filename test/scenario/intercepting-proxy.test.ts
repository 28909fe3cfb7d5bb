import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { readCredentials } from '../../src/agent/credentials/credentials.ts';
import { startProgram } from '../../src/demo/child-program.ts';
import { type BridgeBehindTls, startBridgeBehindTls } from '../support/bridge-behind-tls.ts';
import { chain } from '../support/chain.ts';
import { type InterceptingProxy, startMitmproxy } from '../support/proxy-servers.ts';
import { runnerEnv, runnerProgram } from '../support/system.ts';
import { suiteFolder, tempFolder } from '../support/temp-folder.ts';
import { makeAuthority, type TestAuthority } from '../support/test-authority.ts';

import { until } from '../support/until.ts';

// A real proxy that opens TLS between a runner and its bridge, and between its browser and a site.

const folder = suiteFolder();
let authority: TestAuthority;
let bridge: BridgeBehindTls;
let proxy: InterceptingProxy;
let site: Server;
let siteUrl: string;
/** What somebody in this company is told to trust: the proxy and the company's own authority. */
let bundle: string;

beforeAll(async () => {
  authority = await makeAuthority();
  bridge = await startBridgeBehindTls(join(folder(), 'bridge'), authority.server);
  proxy = await startMitmproxy(authority);
  site = createServer(authority.server, (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>The intranet</h1>');
  });
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  siteUrl = `https://localhost:${(site.address() as AddressInfo).port}/`;
  bundle = join(folder(), 'bundle.pem');
  await writeFile(
    bundle,
    (await readFile(authority.certificateFile, 'utf8')) + (await readFile(proxy.certificateFile, 'utf8')),
  );
});
afterAll(async () => {
  site?.closeAllConnections();
  await new Promise((resolve) => site?.close(resolve));
  await proxy?.remove();
  await bridge?.close();
  await authority?.remove();
});

const behindProxy = (): Record<string, string> => ({ HTTPS_PROXY: proxy.url });

describe('a runner behind a proxy that opens TLS', () => {
  it('says that --ca-file is what to type, for each command that asks the bridge', async () => {
    const code = await bridge.pairingCode({ autoApprove: true });
    const given = ['--ca-file', authority.certificateFile];
    const program = startProgram(runnerProgram, ['pair', code, '--api', bridge.url, ...given], {
      env: { ...runnerEnv(await tempFolder()), ...behindProxy() },
    });
    expect(await program.ended).toBe(69);
    expect(program.said()).toContain('--ca-file FILE');
  });

  it('pairs, polls, hears hints, tells events, uploads and renews nothing it should not, with --ca-file', async () => {
    const home = await tempFolder();
    const env = { ...runnerEnv(home), ...behindProxy(), QUALINET_CA_FILE: bundle };
    const code = await bridge.pairingCode({ autoApprove: true });
    const pairing = startProgram(runnerProgram, ['pair', code, '--api', bridge.url], { env });
    expect(await pairing.ended, pairing.said()).toBe(0);
    const runner = startProgram(runnerProgram, ['start'], { env });
    onTestFinished(() => runner.stop());
    // Whatever goes by, goes through the proxy: its hints, too.
    await until('the stream of hints is open', async () => /200 \S+\/v1\/control/.test(await proxy.seen()));

    const runId = await bridge.submit(
      chain(
        { id: 'open', type: 'navigate', data: { url: siteUrl } },
        { id: 'look', type: 'assertion', data: { selector: 'h1', value: 'Something else', timeoutMs: 100 } },
      ),
    );
    const events = await bridge.follow(runId);
    expect(events.map(({ type }) => type)).toContain('step_complete');
    const run = await bridge.over(runId, 20_000);
    const [opened, looked] = run.stepsResult ?? [];
    expect(opened).toMatchObject({ nodeId: 'open', status: 'passed' });
    expect(looked).toMatchObject({ status: 'failed' });
    expect(looked?.screenshotUrl, JSON.stringify(looked)).toContain(`${bridge.url}/v1/blobs/`);

    const seen = await proxy.seen();
    for (const path of ['/v1/pairings', '/v1/leases/poll', '/events', '/uploads', '/v1/blobs/', '/result']) {
      expect(seen).toContain(path);
    }
    // It sees what flows say, and neither what proves who the runner is nor what would let anybody pair.
    const secret = (await readCredentials(home))?.keys[0]?.secret.reveal() ?? '';
    expect(secret).toHaveLength(43);
    expect(seen).not.toContain(secret);
    expect(seen).not.toContain(Buffer.from(secret, 'base64url').toString('hex'));
    expect(seen).toContain('wrappedKey');
    await runner.stop();
    expect(runner.said()).not.toMatch(/not trusted|cannot reach/);
  });
});

describe('a browser behind a proxy that opens TLS', () => {
  async function run(args: readonly string[]): Promise<{ code: number | null; said: string }> {
    const between = await startMitmproxy(authority, { reverseOf: siteUrl });
    onTestFinished(() => between.remove());
    const flow = join(await tempFolder(), 'flow.json');
    const address = `https://localhost:${between.port}/`;
    await writeFile(
      flow,
      JSON.stringify(
        chain(
          { id: 'open', type: 'navigate', data: { url: address } },
          { id: 'look', type: 'assertion', data: { selector: 'h1', value: 'The intranet' } },
        ),
      ),
    );
    const trusted = args.map((arg) => (arg === 'THE-PROXY' ? between.certificateFile : arg));
    const pictures = ['--screenshots', await tempFolder()];
    const program = startProgram(runnerProgram, ['run', flow, ...trusted, ...pictures], {
      env: runnerEnv(await tempFolder()),
    });
    return { code: await program.ended, said: program.said() };
  }

  it('opens pages through it with --ca-file', async () => {
    const { code, said } = await run(['--ca-file', 'THE-PROXY']);
    expect(code, said).toBe(0);
  });

  it('fails the step without it, and the error names --ca-file', async () => {
    const { code, said } = await run([]);
    expect(code).toBe(1);
    expect(said).toContain('ERR_CERT_AUTHORITY_INVALID');
    expect(said).toContain('--ca-file FILE');
  });
});
